/** Every fault that an origin must survive: how it is made, for how long, and when all is well again. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../support/fault-proxy.ts';
import { startFaultyRill, type FaultyRill } from '../support/faulty-rill.ts';
import { until } from '../support/live-client.ts';
import type { Comparison } from '../support/stored-media.ts';

/** A fault. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Real duration, and the one of the tests; seconds. */
  readonly seconds: { readonly real: number; readonly test: number };
  readonly config?: object;
  readonly environment?: Readonly<Record<string, string>>;
  /** Does its worst for so long, and ends it. */
  readonly run: (rill: FaultyRill, milliseconds: number) => Promise<void>;
}

/** What viewers and operators have of one. */
export interface Endured {
  /** What a viewer waited for, seconds. */
  readonly interruption: number;
  /** From the fault's end until media comes, and nothing waits for storage or hub; seconds. */
  readonly timeToNormal: number;
  /** Objects that the origin says it gave up. */
  readonly dropped: number;
  /** Segments that the player never saw named. */
  readonly skipped: number;
}

/** What came of one. */
export type Outcome = Endured & Comparison;

const NORMAL_LIMIT_MS = 90_000;
const SETTLE_MS = 3_000;
const HOUR_MS = 3_600_000;

/** A fault on the way to storage. */
function onStorage(fault: Fault): Scenario['run'] {
  return async ({ storage }, milliseconds) => {
    storage.set(fault);
    await sleep(milliseconds);
    storage.set({ kind: 'none' });
  };
}

async function stepClock(rill: FaultyRill, milliseconds: number): Promise<void> {
  for (const step of [HOUR_MS, -HOUR_MS, 0]) {
    rill.stepClock(step);
    await sleep(milliseconds / 3);
    if (step !== 0) {
      rill.signal('ffmpeg -hide_banner', 'SIGKILL');
    }
  }
}

/** All of them. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'no-fault',
    title: 'none, for comparison: what the machine itself does',
    seconds: { real: 60, test: 2 },
    run: async (_rill, milliseconds) => {
      await sleep(milliseconds);
    },
  },
  {
    name: 'storage-away',
    title: 'object storage away (connections refused)',
    seconds: { real: 300, test: 5 },
    run: onStorage({ kind: 'refuse' }),
  },
  {
    name: 'storage-hangs',
    title: 'object storage takes connections and says nothing',
    seconds: { real: 60, test: 5 },
    run: onStorage({ kind: 'hang' }),
  },
  {
    name: 'storage-slow',
    title: 'object storage slow: 2 s a PUT',
    seconds: { real: 300, test: 5 },
    run: onStorage({ kind: 'delay', milliseconds: 2_000 }),
  },
  {
    name: 'storage-errors',
    title: 'object storage answers half with 500 or 503',
    seconds: { real: 300, test: 4 },
    run: onStorage({ kind: 'status', statuses: [500, 503], share: 0.5 }),
  },
  {
    name: 'storage-denies',
    title: 'object storage rejects the credentials (403)',
    seconds: { real: 120, test: 4 },
    run: onStorage({ kind: 'status', statuses: [403], share: 1 }),
  },
  {
    name: 'storage-resets',
    title: 'object storage resets a third in mid-body',
    seconds: { real: 60, test: 4 },
    run: onStorage({ kind: 'reset', share: 0.33 }),
  },
  {
    name: 'storage-and-disk-full',
    title: 'object storage away while the spool has no room',
    seconds: { real: 60, test: 4 },
    environment: { RILL_SPOOL_MIB: '1' },
    run: onStorage({ kind: 'refuse' }),
  },
  {
    name: 'edge-hangs',
    title: 'edge away for the origin: takes connections, says nothing',
    seconds: { real: 60, test: 5 },
    run: async ({ edge }, milliseconds) => {
      edge.set({ kind: 'hang' });
      await sleep(milliseconds);
      edge.set({ kind: 'none' });
    },
  },
  {
    name: 'edge-away',
    title: 'edge and storage stopped, then killed and restarted',
    seconds: { real: 60, test: 5 },
    run: async (rill, milliseconds) => {
      rill.signal('workerd', 'SIGSTOP');
      await sleep(milliseconds);
      rill.signal('workerd', 'SIGKILL');
      rill.signal('edge-worker/host/main.ts', 'SIGKILL');
    },
  },
  {
    name: 'ffmpeg-stalls',
    title: 'ffmpeg stopped (SIGSTOP)',
    seconds: { real: 0, test: 0 },
    run: async (rill) => {
      rill.signal('ffmpeg -hide_banner', 'SIGSTOP');
      await sleep(500);
    },
  },
  {
    name: 'ffmpeg-killed',
    title: 'ffmpeg killed (SIGKILL)',
    seconds: { real: 0, test: 0 },
    run: async (rill) => {
      rill.signal('ffmpeg -hide_banner', 'SIGKILL');
      await sleep(500);
    },
  },
  {
    name: 'origin-killed',
    title: 'origin killed (SIGKILL) while storage is away, and restarted',
    seconds: { real: 30, test: 5 },
    run: async (rill, milliseconds) => {
      rill.storage.set({ kind: 'refuse' });
      await sleep(milliseconds);
      rill.signal('origin/main.ts', 'SIGKILL');
      await until('the origin again', () => rill.metric('rill_streams_live'));
      rill.storage.set({ kind: 'none' });
    },
  },
  {
    name: 'clock-steps',
    title: "origin's clock an hour ahead, then an hour behind, ffmpeg killed at each",
    seconds: { real: 60, test: 6 },
    run: stepClock,
  },
];

/** Runs one scenario on an instance of its own. */
export async function runScenario(scenario: Scenario, kind: 'real' | 'test'): Promise<Outcome> {
  const rill = await startFaultyRill(scenario.config, scenario.environment);
  try {
    await sleep(SETTLE_MS);
    const endured = await endure(rill, scenario, kind);
    return { ...endured, ...(await closeAccounts(rill)) };
  } catch (error) {
    throw new Error(`${scenario.name} failed:\n${rill.rill.output().slice(-4_000)}`, { cause: error });
  } finally {
    await rill.stop();
  }
}

/** Makes a fault and waits until all is well again. */
export async function endure(rill: FaultyRill, scenario: Scenario, kind: 'real' | 'test'): Promise<Endured> {
  const before = rill.player.stalledSeconds;
  await scenario.run(rill, scenario.seconds[kind] * 1000);
  const ended = performance.now();
  const { well } = await until('all to be well', () => normal(rill, ended), NORMAL_LIMIT_MS);
  return {
    interruption: rill.player.stalledSeconds - before,
    timeToNormal: (well - ended) / 1000,
    dropped: (await rill.metric('rill_objects_dropped_total')) ?? Number.NaN,
    skipped: rill.player.skippedSegments,
  };
}

/** Ends the stream and compares what was announced with what is in storage. */
export async function closeAccounts(rill: FaultyRill): Promise<Comparison> {
  await sleep(SETTLE_MS);
  await rill.stopPublishing();
  await until('everything in storage', () => isStored(rill), NORMAL_LIMIT_MS);
  return await rill.compare();
}

/** Two parts have come since the fault's end, and what waits is no more than what is on its way at any time. */
async function normal(rill: FaultyRill, since: number): Promise<{ readonly well: number } | undefined> {
  const plays = rill.player.lastPartAt > since + 500 && performance.now() - rill.player.lastPartAt < 1_500;
  return plays && (await isStored(rill)) === true ? { well: performance.now() } : undefined;
}

async function isStored(rill: FaultyRill): Promise<true | undefined> {
  const names = ['rill_objects_pending', 'rill_objects_spooled', 'rill_hub_waiting_updates'];
  const counts = await Promise.all(names.map((name) => rill.metric(name)));
  const [pending, spooled, waiting = 0] = counts;
  return pending !== undefined && spooled !== undefined && pending + spooled <= 2 && waiting <= 2
    ? true
    : undefined;
}
