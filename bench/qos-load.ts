/**
 * Beacons at a rate against an edge and the embedded engine: whether all come out, what one costs, and what media
 * meets meanwhile. `npm run bench:qos-load [-- rate seconds seconds-that-the-engine-is-away]`.
 *
 * Media is asked for all the time, from a process that does nothing else; windows with and without beacons alternate,
 * so that both meet the same machine. Engine and viewers are processes of their own.
 */

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { startEdgeAlone } from '../test/support/edge-alone.ts';
import { until } from '../test/support/live-client.ts';
import { listDescendants } from '../test/support/process-usage.ts';
import { EngineProcess } from './qos-load/engine-process.ts';
import { sentSchema, type Order } from './qos-load/messages.ts';
import { print, printMachine, quantile } from './report.ts';

const RATE = Number(process.argv[2] ?? 2_000);
const SECONDS = Number(process.argv[3] ?? 60);
const AWAY_SECONDS = Number(process.argv[4] ?? 0);
/** Length of a window with or without beacons, seconds. */
const WINDOW_SECONDS = 10;
/** Time between two requests for media, milliseconds. */
const MEDIA_EVERY_MS = 20;
/** A part of 1.5 Mbit/s and half a second. */
const PART_BYTES = 100_000;
/** After the beacons of a window, rows may still be on their way for so long, milliseconds. */
const SETTLE_MS = 1_500;

type Phase = 'idle' | 'loaded' | 'away' | 'between';

const reportSchema = z.object({ rows: z.array(z.object({ attempts: z.number() })) });
const statusSchema = z.looseObject({ dropped: z.number() });

printMachine(`${RATE} beacons a second for ${SECONDS} s`);
const engine = await EngineProcess.prepare();
await engine.start();
const edge = await startEdgeAlone({ cacheMib: 16, variables: engine.variables });
await edge.origin.publishPart(new Uint8Array(PART_BYTES));
const analyst = await edge.sign({ scope: 'analytics', stream: '*' });
const address = `${edge.url}/beacon?token=${await edge.sign({ stream: 'show', sub: 'load' })}`;
const playlist = new URL(`${edge.streamUrl}/360p/index.m3u8`);
const sender = fork(join(import.meta.dirname, 'qos-load/beacon-sender.ts'));
const total = { sent: 0, taken: 0, statuses: new Map<string, number>() };
const beaconTimes: number[] = [];
const media: Record<Phase, number[]> = { idle: [], loaded: [], away: [], between: [] };
const mediaStatuses = new Map<number, number>();
const used = { idle: { edge: 0, engine: 0, seconds: 0 }, loaded: { edge: 0, engine: 0, seconds: 0 } };
let phase: Phase = 'between';
const ending = new AbortController();
const asking = askMedia();
try {
  await measure();
} finally {
  ending.abort();
  await asking;
  await end(sender);
  await edge.stop();
  await engine.close();
}

async function measure(): Promise<void> {
  for (let loaded = 0; loaded < SECONDS; loaded += WINDOW_SECONDS) {
    await inPhase('idle', () => sleep(WINDOW_SECONDS * 1000));
    await inPhase('loaded', () => sendBeacons(Math.min(WINDOW_SECONDS, SECONDS - loaded)));
    print(`${Math.min(SECONDS, loaded + WINDOW_SECONDS)} of ${SECONDS} s: ${total.sent} beacons sent`);
  }
  const answered = performance.now();
  await comeOut(total.taken);
  const late = ((performance.now() - answered) / 1000).toFixed(1);
  const statuses = JSON.stringify([...total.statuses]);
  print(
    `sent ${total.sent}, answers ${statuses}: all that were taken are rows ${late} s after the last window`,
  );
  print(`beacon answered: p50 ${at(beaconTimes, 0.5)} ms, p95 ${at(beaconTimes, 0.95)} ms`);
  printMedia('loaded');
  printCost();
  if (AWAY_SECONDS > 0) {
    await engineAway();
  }
}

/** The engine goes for a while under the same load; nothing below the bound may be lost. */
async function engineAway(): Promise<void> {
  await engine.stop();
  await inPhase('away', () => sendBeacons(AWAY_SECONDS));
  await sleep(SETTLE_MS);
  const status = await statusText();
  print(`engine away for ${AWAY_SECONDS} s at ${RATE}/s: ${status}`);
  await engine.start();
  const back = performance.now();
  await comeOut(total.taken - statusSchema.parse(JSON.parse(status)).dropped);
  print(`engine back: the rows held are in it ${((performance.now() - back) / 1000).toFixed(1)} s later`);
  printMedia('away');
}

async function comeOut(count: number): Promise<void> {
  await until(`${count} rows`, async () => {
    const answer = await ask('/v1/qos/failures?stream=show');
    const [row] = answer.ok ? reportSchema.parse(await answer.json()).rows : [];
    return row?.attempts === count ? true : undefined;
  });
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
  const order: Order = { address, rate: RATE, seconds };
  const answered = once(sender, 'message');
  sender.send(order);
  const sent = sentSchema.parse((await answered)[0]);
  total.sent += sent.sent;
  total.taken += sent.statuses['204'] ?? 0;
  for (const [status, count] of Object.entries(sent.statuses)) {
    total.statuses.set(status, (total.statuses.get(status) ?? 0) + count);
  }
  beaconTimes.push(...sent.times);
}

/** Asks for the playlist at a steady rate, whatever the answers take; each is counted in the phase that it began in. */
async function askMedia(): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const began = performance.now();
  for (let number = 0; !ending.signal.aborted; number += 1) {
    askOnce(agent, phase);
    await sleep(Math.max(0, began + (number + 1) * MEDIA_EVERY_MS - performance.now()));
  }
  agent.destroy();
}

function askOnce(agent: Agent, mine: Phase): void {
  const start = performance.now();
  const finish = (status: number): void => {
    media[mine].push(performance.now() - start);
    mediaStatuses.set(status, (mediaStatuses.get(status) ?? 0) + 1);
  };
  const call = get(playlist, { agent }, (answer) => {
    answer.resume();
    answer.once('end', () => finish(answer.statusCode ?? 0));
  });
  call.once('error', () => finish(0));
}

/** CPU of the edge's runtime and of the engine, seconds. */
function cpuOf(): { readonly edge: number; readonly engine: number } {
  const all = listDescendants(process.pid);
  const edges = all.filter(({ command }) => /workerd.* serve/.test(command));
  const engines = all.filter(({ processId }) => processId === engine.processId);
  const sum = (some: typeof all): number => some.reduce((seconds, one) => seconds + one.cpuSeconds, 0);
  return { edge: sum(edges), engine: sum(engines) };
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
  const extra = (who: 'edge' | 'engine'): string => {
    const idle = (used.idle[who] / used.idle.seconds) * used.loaded.seconds;
    return (((used.loaded[who] - idle) / total.taken) * 1e6).toFixed(0);
  };
  print(`CPU of a beacon: edge ${extra('edge')} µs, engine ${extra('engine')} µs`);
}

function ask(path: string): Promise<Response> {
  return fetch(`${edge.url}${path}`, { headers: { authorization: `Bearer ${analyst}` } });
}

async function statusText(): Promise<string> {
  return (await ask('/v1/qos/status')).text();
}

async function end(child: ChildProcess): Promise<void> {
  child.disconnect();
  await once(child, 'exit');
}

function at(times: readonly number[], share: number): string {
  return quantile(times, share).toFixed(2);
}
