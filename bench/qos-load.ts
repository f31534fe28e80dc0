/**
 * Beacons at a rate against an edge and the embedded engine: whether all come out, what one costs, and what media
 * meets meanwhile. `node bench/qos-load.ts [rate] [seconds] [seconds that the engine is away]`.
 *
 * Media is asked for all the time; windows with and without beacons alternate, so that both meet the same machine.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'node:http';
import { listDescendants } from '../test/support/process-usage.ts';
import { startChdbEdge } from '../test/qos/chdb-edge.ts';

const RATE = Number(process.argv[2] ?? 2_000);
const SECONDS = Number(process.argv[3] ?? 60);
const AWAY_SECONDS = Number(process.argv[4] ?? 0);
/** Length of a window with or without beacons, seconds. */
const WINDOW_SECONDS = 10;
/** Viewers do not report in bursts. */
const TICK_MS = 2;
const SESSIONS = 5_000;
/** Time between two requests for media, milliseconds. */
const MEDIA_EVERY_MS = 20;
/** A part of 1.5 Mbit/s and half a second. */
const PART_BYTES = 100_000;
/** After the beacons of a window, rows may still be on their way for so long, milliseconds. */
const SETTLE_MS = 1_500;

interface Row {
  readonly [name: string]: number;
}

type Phase = 'idle' | 'loaded' | 'away' | 'between';

const system = await startChdbEdge();
await system.edge.origin.publishPart(new Uint8Array(PART_BYTES));
const token = await system.edge.sign({ stream: 'show', sub: 'load' });
const address = new URL(`${system.edge.url}/beacon?token=${token}`);
const playlist = new URL(`${system.edge.streamUrl}/360p/index.m3u8`);
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const mediaAgent = new Agent({ keepAlive: true, maxSockets: 64 });
const statuses = new Map<number, number>();
const beaconTimes: number[] = [];
const media: Record<Phase, number[]> = { idle: [], loaded: [], away: [], between: [] };
const mediaStatuses = new Map<number, number>();
const progress = { sent: 0, done: 0 };
const used = { idle: usageOf(0), loaded: usageOf(0) };
let phase: Phase = 'between';
const ending = new AbortController();

const asking = askMedia();
for (let loaded = 0; loaded < SECONDS; loaded += WINDOW_SECONDS) {
  await inPhase('idle', () => sleep(WINDOW_SECONDS * 1000));
  await inPhase('loaded', () => sendBeacons(Math.min(WINDOW_SECONDS, SECONDS - loaded)));
  await sleep(SETTLE_MS);
}
const answered = performance.now();
await comeOut(statuses.get(204) ?? 0);
print(
  `sent ${progress.sent} at ${RATE}/s in windows of ${WINDOW_SECONDS} s: ${JSON.stringify([...statuses])}; all of them rows ${((performance.now() - answered) / 1000).toFixed(1)} s after the last window`,
);
print(`beacon answered: p50 ${at(beaconTimes, 0.5)} ms, p95 ${at(beaconTimes, 0.95)} ms`);
printMedia('loaded');
printCost();
if (AWAY_SECONDS > 0) {
  await engineAway();
}
print(await statusText());
ending.abort();
await asking;
await system.stop();
agent.destroy();
mediaAgent.destroy();

/** The engine goes for a while under the same load; nothing below the bound may be lost. */
async function engineAway(): Promise<void> {
  await system.stopEngine();
  await inPhase('away', () => sendBeacons(AWAY_SECONDS));
  await sleep(SETTLE_MS);
  print(`engine away for ${AWAY_SECONDS} s at ${RATE}/s: ${await statusText()}`);
  await system.startEngine();
  const back = performance.now();
  const { dropped } = JSON.parse(await statusText());
  await comeOut((statuses.get(204) ?? 0) - dropped);
  print(`engine back: the rows held are in it ${((performance.now() - back) / 1000).toFixed(1)} s later`);
  printMedia('away');
}

async function comeOut(count: number): Promise<void> {
  await system.until<Row>('/v1/qos/failures?stream=show', (all) => all[0]?.['attempts'] === count);
}

async function inPhase(next: 'idle' | 'loaded' | 'away', work: () => Promise<void>): Promise<void> {
  const before = cpuOf();
  const began = performance.now();
  phase = next;
  await work();
  phase = 'between';
  if (next !== 'away') {
    await sleep(SETTLE_MS);
    const after = cpuOf();
    used[next].edge += after.edge - before.edge;
    used[next].engine += after.engine - before.engine;
    used[next].seconds += (performance.now() - began) / 1000;
  }
}

async function sendBeacons(seconds: number): Promise<void> {
  const began = performance.now();
  const first = progress.sent;
  while (performance.now() - began < seconds * 1000) {
    const due = first + Math.floor(((performance.now() - began) / 1000) * RATE);
    while (progress.sent < due) {
      postBeacon(progress.sent);
      progress.sent += 1;
    }
    await sleep(TICK_MS);
  }
  while (progress.done < progress.sent) {
    await sleep(TICK_MS);
  }
}

function postBeacon(number: number): void {
  const now = Date.now();
  const about = {
    v: 1,
    session: `s${number % SESSIONS}`,
    stream: 'show',
    player: 'load',
    playerVersion: '1',
  };
  const event = { event: 'session_start', at: now, seq: Math.floor(number / SESSIONS) };
  const body = JSON.stringify({ ...about, sentAt: now, events: [event] });
  const headers = { 'content-type': 'text/plain' };
  ask({ url: address, method: 'POST', headers, body, agent }, (status, ms) => {
    progress.done += 1;
    beaconTimes.push(ms);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  });
}

/** Asks for the playlist at a steady rate, whatever the answers take; each is counted in the phase that it began in. */
async function askMedia(): Promise<void> {
  const began = performance.now();
  for (let number = 0; !ending.signal.aborted; number += 1) {
    const mine = phase;
    ask({ url: playlist, method: 'GET', headers: {}, body: undefined, agent: mediaAgent }, (status, ms) => {
      media[mine].push(ms);
      mediaStatuses.set(status, (mediaStatuses.get(status) ?? 0) + 1);
    });
    await sleep(Math.max(0, began + (number + 1) * MEDIA_EVERY_MS - performance.now()));
  }
}

function ask(
  asked: {
    readonly url: URL;
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body: string | undefined;
    readonly agent: Agent;
  },
  finish: (status: number, ms: number) => void,
): void {
  const { url, method, headers, agent: from } = asked;
  const start = performance.now();
  const call = request(url, { method, agent: from, headers }, (answer) => {
    answer.resume();
    answer.once('end', () => finish(answer.statusCode ?? 0, performance.now() - start));
  });
  call.once('error', () => finish(0, performance.now() - start));
  call.end(asked.body);
}

/** CPU of the edge's runtime, and of this process, which is engine and sender; seconds. */
function cpuOf(): { readonly edge: number; readonly engine: number } {
  const all = listDescendants(process.pid);
  const edge = all.filter(({ command }) => /workerd.* serve/.test(command));
  const own = process.cpuUsage();
  return { edge: edge.reduce((sum, one) => sum + one.cpuSeconds, 0), engine: (own.user + own.system) / 1e6 };
}

function usageOf(value: number): { edge: number; engine: number; seconds: number } {
  return { edge: value, engine: value, seconds: value };
}

function printMedia(loaded: 'loaded' | 'away'): void {
  const change = (quantile(media[loaded], 0.95) / quantile(media.idle, 0.95) - 1) * 100;
  print(
    `media while idle: p50 ${at(media.idle, 0.5)} ms, p95 ${at(media.idle, 0.95)} ms (${media.idle.length}); ` +
      `${loaded}: p50 ${at(media[loaded], 0.5)} ms, p95 ${at(media[loaded], 0.95)} ms (${media[loaded].length}), ` +
      `p95 changed by ${change.toFixed(1)} %; statuses ${JSON.stringify([...mediaStatuses])}`,
  );
}

function printCost(): void {
  const beacons = statuses.get(204) ?? 0;
  const extra = (who: 'edge' | 'engine'): string => {
    const idle = (used.idle[who] / used.idle.seconds) * used.loaded.seconds;
    return (((used.loaded[who] - idle) / beacons) * 1e6).toFixed(0);
  };
  print(`CPU of a beacon: edge ${extra('edge')} µs, sender and engine ${extra('engine')} µs`);
}

async function statusText(): Promise<string> {
  return (await system.ask('/v1/qos/status')).text();
}

function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function at(times: readonly number[], share: number): string {
  return quantile(times, share).toFixed(1);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
