import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEdgeAlone, type EdgeAlone } from '../support/edge-alone.ts';
import { PARTS_PER_SEGMENT, RENDITION } from '../support/scripted-origin.ts';

const VIEWERS = 200;
const PARTS = 2 * PARTS_PER_SEGMENT;
/** Between parts, milliseconds: long enough for most viewers to be held again, too short for all of them. */
const PACE_MS = 400;
const COLLAPSED = 'rill; fwd=uri-miss; collapsed';
const HIT = 'rill; hit';

let edge: EdgeAlone;
/** How each answer came about, by path and query. */
const answers = new Map<string, string[]>();

beforeAll(async () => {
  edge = await startEdgeAlone({ cacheMib: 64 });
});
afterAll(() => edge?.stop());

test(`${VIEWERS} viewers cost one delivery request for each playlist update, part and segment`, async () => {
  await publishPart(0);
  const viewers = Array.from({ length: VIEWERS }, () => follow());
  for (let at = 1; at < PARTS; at += 1) {
    await sleep(PACE_MS);
    await publishPart(at);
  }
  await Promise.all(viewers);

  // Reloads, parts, and the segments that they make up.
  expect(answers.size).toBe(PARTS + PARTS + PARTS / PARTS_PER_SEGMENT);
  for (const [asked, how] of answers) {
    expect(how, asked).toHaveLength(VIEWERS);
    expect(
      how.filter((one) => one !== HIT && one !== COLLAPSED),
      asked,
    ).toEqual(['rill; fwd=uri-miss; stored']);
  }
  const reloads = [...answers].filter(([asked]) => asked.includes('_HLS_msn='));
  expect(reloads.flatMap(([, how]) => how).filter((how) => how === COLLAPSED).length).toBeGreaterThan(
    VIEWERS,
  );
});

test('a held request whose first viewer goes away is answered to the others', async () => {
  const next = `index.m3u8?_HLS_msn=${PARTS / PARTS_PER_SEGMENT}&_HLS_part=0`;
  const leaving = new AbortController();
  const first = fetch(`${edge.streamUrl}/${RENDITION}/${next}`, { signal: leaving.signal }).catch(
    () => 'gone',
  );
  await sleep(PACE_MS);
  const others = Array.from({ length: 10 }, () => ask(next));
  await sleep(PACE_MS);
  leaving.abort();
  expect(await first).toBe('gone');
  await sleep(PACE_MS);
  await edge.origin.publishPart(new Uint8Array([9]));
  const texts = await Promise.all(others);
  expect(new Set(texts.map((bytes) => bytes.length)).size).toBe(1);
});

async function publishPart(at: number): Promise<void> {
  await edge.origin.publishPart(new Uint8Array(50_000).fill(at));
}

/** A player without a picture: each reload, each part, each segment once. */
async function follow(): Promise<void> {
  for (let at = 0; at < PARTS; at += 1) {
    const msn = Math.floor(at / PARTS_PER_SEGMENT);
    const part = at % PARTS_PER_SEGMENT;
    await ask(`index.m3u8?_HLS_msn=${msn}&_HLS_part=${part}`);
    expect(await ask(`${edge.origin.epoch}-${msn}.${part}.m4s`)).toHaveLength(50_000);
    if (part === PARTS_PER_SEGMENT - 1) {
      expect(await ask(`${edge.origin.epoch}-${msn}.m4s`)).toHaveLength(50_000 * PARTS_PER_SEGMENT);
    }
  }
}

async function ask(file: string): Promise<Uint8Array> {
  const answer = await fetch(`${edge.streamUrl}/${RENDITION}/${file}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  expect([answer.status, file]).toEqual([200, file]);
  const how = answers.get(file) ?? [];
  answers.set(file, [...how, answer.headers.get('cache-status') ?? 'none']);
  return bytes;
}
