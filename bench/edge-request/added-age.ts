/** The age that an edge adds to the newest media: how long it hides what its hub already has. */

import { setTimeout as sleep } from 'node:timers/promises';
import { PARTS_PER_SEGMENT, type ScriptedOrigin } from '../../test/support/scripted-origin.ts';

const PART_MS = 500;
/** A viewer joins about this often, milliseconds; no divisor of a part's duration, so that all phases occur. */
const JOIN_EVERY_MS = 37;
const LAST_PART = /URI="\d+-(\d+)\.(\d+)\.m4s"(?![\s\S]*#EXT-X-PART:)/;

/** An edge, what publishes to its hub, and where its playlist lies. */
export interface AgedEdge {
  readonly origin: ScriptedOrigin;
  /** URL of a file of the rendition. */
  readonly url: (file: string) => string;
}

/** Milliseconds, one value for each sample. */
export interface AddedAge {
  /** A viewer who joins with a plain playlist: age of its newest part less that of the hub's newest. */
  readonly joining: readonly number[];
  /** A viewer who holds a reload for each part: from the part at the hub to the end of its download. */
  readonly following: readonly number[];
}

/** Publishes a part every half a second for some seconds and looks at it through the edge. */
export async function measureAddedAge(
  edge: AgedEdge,
  durationMs: number,
  partBytes: number,
): Promise<AddedAge> {
  const published: number[] = [];
  const publish = async (): Promise<number> => {
    const { msn, part } = await edge.origin.publishPart(new Uint8Array(partBytes));
    const index = msn * PARTS_PER_SEGMENT + part;
    published[index] = Date.now();
    return index;
  };
  const first = await publish();
  const until = Date.now() + durationMs;
  const [, joining, following] = await Promise.all([
    publishUntil(until, publish),
    joinUntil(until, edge, published),
    followUntil(until, edge, published, first + 1),
  ]);
  return { joining, following };
}

async function publishUntil(until: number, publish: () => Promise<number>): Promise<void> {
  for (let next = Date.now() + PART_MS; next < until + PART_MS; next += PART_MS) {
    await sleep(next - Date.now());
    await publish();
  }
}

async function joinUntil(
  until: number,
  edge: AgedEdge,
  published: readonly number[],
): Promise<readonly number[]> {
  const added: number[] = [];
  while (Date.now() < until) {
    const newest = published.length - 1;
    const text = await (await fetch(edge.url('index.m3u8'))).text();
    const [, msn, part] = LAST_PART.exec(text) ?? [];
    const listed = Number(msn) * PARTS_PER_SEGMENT + Number(part);
    const age = (published[newest] ?? 0) - (published[listed] ?? Number.NaN);
    added.push(Math.max(0, age));
    await sleep(JOIN_EVERY_MS);
  }
  return added.filter((age) => !Number.isNaN(age));
}

async function followUntil(
  until: number,
  edge: AgedEdge,
  published: readonly number[],
  first: number,
): Promise<readonly number[]> {
  const ages: number[] = [];
  for (let index = first; Date.now() < until; index += 1) {
    const msn = Math.floor(index / PARTS_PER_SEGMENT);
    const part = index % PARTS_PER_SEGMENT;
    await (await fetch(edge.url(`index.m3u8?_HLS_msn=${msn}&_HLS_part=${part}`))).arrayBuffer();
    await (await fetch(edge.url(`${edge.origin.epoch}-${msn}.${part}.m4s`))).arrayBuffer();
    const ended = Date.now();
    // The publisher may hear of its success after the viewers: then the age is nothing.
    ages.push(Math.max(0, ended - (published[index] ?? ended)));
  }
  return ages;
}
