/**
 * From the publish of a 200 KB part to its first byte at a client of the running edge: one that holds the request
 * that the preload hint names, and one that blocks on the playlist and then fetches the part it lists. Both ask
 * each time, in turns, over kept-alive connections. `npm run bench:hub [-- parts]`
 */

import { Agent, get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEdgeAlone, type EdgeAlone } from '../test/support/edge-alone.ts';
import { until } from '../test/support/live-client.ts';
import { partAfter, RENDITION, type PartPosition } from '../test/support/scripted-origin.ts';
import { print, printMachine, quantile } from './report.ts';

const ROUNDS = 5;
const PARTS = Number(process.argv[2] ?? 24);
const WARM_UP_PARTS = 8;
const LIMIT_MS = 10;
const PART_BYTES = 200_000;
/** Between parts: the hub has written what it took, nothing is left to do. */
const PACE_MS = 60;

type Ask = (file: string) => Promise<{ readonly firstByteAt: number; readonly bytes: Buffer }>;

/** How a client comes to the part; returns the instant of the part's first byte. */
type Client = (edge: EdgeAlone, ask: Ask, next: PartPosition) => Promise<number>;

const CLIENTS: Readonly<Record<string, Client>> = {
  'holds the hinted part': async (edge, ask, next) => {
    const { firstByteAt, bytes } = await ask(partFile(edge, next));
    checkLength(bytes);
    return firstByteAt;
  },
  'blocks on the playlist, then fetches the part': async (edge, ask, next) => {
    const playlist = await ask(`index.m3u8?_HLS_msn=${next.msn}&_HLS_part=${next.part}`);
    const file = partFile(edge, next);
    if (!playlist.bytes.includes(file)) {
      throw new Error(`the playlist does not list ${file}`);
    }
    const { firstByteAt, bytes } = await ask(file);
    checkLength(bytes);
    return firstByteAt;
  },
};

printMachine(
  `Publish of a ${PART_BYTES / 1000} KB part → its first byte at a client, ${ROUNDS} × ${PARTS} parts`,
);
let failed = false;
for (const cacheMib of [64, 0]) {
  for (const [name, client] of Object.entries(CLIENTS)) {
    const medians: number[] = [];
    const all: number[] = [];
    const answered: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const figures = await measure(cacheMib, client);
      medians.push(quantile(figures.firstBytes, 0.5));
      all.push(...figures.firstBytes);
      answered.push(...figures.publishes);
    }
    print(`a client that ${name}, ${cacheMib > 0 ? "with the edge's cache" : 'without a cache'}:`);
    print(`  first byte: median of rounds ${inMs(quantile(medians, 0.5))} (${medians.map(inMs).join(', ')})`);
    print(`  all: p5 ${inMs(quantile(all, 0.05))}, p95 ${inMs(quantile(all, 0.95))}, n ${all.length}`);
    print(`  the publish itself was answered after: median ${inMs(quantile(answered, 0.5))}`);
    failed = failed || quantile(medians, 0.5) > LIMIT_MS;
  }
}
process.exitCode = failed ? 1 : 0;

/** Milliseconds from the begin of each publish to the part's first byte, and to the publish's answer. */
async function measure(
  cacheMib: number,
  client: Client,
): Promise<{ readonly firstBytes: readonly number[]; readonly publishes: readonly number[] }> {
  const edge = await startEdgeAlone({ cacheMib });
  const agent = new Agent({ keepAlive: true });
  const ask: Ask = (file) => download(`${edge.streamUrl}/${RENDITION}/${file}`, agent);
  const firstBytes: number[] = [];
  const publishes: number[] = [];
  try {
    let next = partAfter(await edge.origin.publishPart(partBytes(0)));
    for (let at = 0; at < WARM_UP_PARTS + PARTS; at += 1) {
      const firstByte = client(edge, ask, next);
      firstByte.catch(() => undefined);
      await until('a held request', async () => ((await edge.hubLoad()).held > 0 ? true : undefined));
      await sleep(PACE_MS);
      const publishedAt = performance.now();
      next = partAfter(await edge.origin.publishPart(partBytes(at)));
      const answeredAt = performance.now();
      const firstByteAt = await firstByte;
      if (at >= WARM_UP_PARTS) {
        firstBytes.push(firstByteAt - publishedAt);
        publishes.push(answeredAt - publishedAt);
      }
    }
  } finally {
    agent.destroy();
    await edge.stop();
  }
  return { firstBytes, publishes };
}

function partFile(edge: EdgeAlone, { msn, part }: PartPosition): string {
  return `${edge.origin.epoch}-${msn}.${part}.m4s`;
}

function partBytes(fill: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(PART_BYTES).fill(fill);
}

function checkLength(bytes: Buffer): void {
  if (bytes.length !== PART_BYTES) {
    throw new Error(`a part of ${bytes.length} bytes`);
  }
}

function download(
  url: string,
  agent: Agent,
): Promise<{ readonly firstByteAt: number; readonly bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const take = (answer: IncomingMessage): void => {
      const chunks: Buffer[] = [];
      let firstByteAt = 0;
      answer.on('error', reject);
      answer.on('data', (chunk: Buffer) => {
        firstByteAt ||= performance.now();
        chunks.push(chunk);
      });
      answer.on('end', () => {
        const bytes = Buffer.concat(chunks);
        if (answer.statusCode === 200) {
          resolve({ firstByteAt, bytes });
        } else {
          reject(new Error(`${answer.statusCode}: ${bytes.toString().slice(0, 200)}`));
        }
      });
    };
    get(url, { agent }, take).on('error', reject);
  });
}

function inMs(value: number): string {
  return `${value.toFixed(1)} ms`;
}
