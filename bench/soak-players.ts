/**
 * Players that watch for a long time: blocking reloads, every part once and in order, no stall; and whether the
 * memory of each process stays flat. A real encoder publishes over RTMP into a whole instance.
 * `npm run bench:soak-players [-- minutes players]`; ends with 1 where a player missed something.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { fetchPlaylist, fetchVariants, until, type ListedPart } from '../test/support/live-client.ts';
import { listDescendants } from '../test/support/process-usage.ts';
import { startRill } from '../test/support/rill-instance.ts';
import { startStampedPublisher } from '../test/support/stamped-publisher.ts';
import { watch, type Watched } from '../test/support/watching-client.ts';
import { COPY_LADDER } from '../test/support/ladders.ts';
import { print, printMachine, quantile } from './report.ts';

const MINUTES = Number(process.argv[2] ?? 30);
const PLAYERS = Number(process.argv[3] ?? 50);
const SAMPLE_MS = 5_000;
/** Share of the run that is warm-up: caches fill, and each heap grows up to where it is collected. */
const WARM_UP_SHARE = 0.6;
/** Players join one after the other, as they do. */
const JOIN_EVERY_MS = 50;
const MIB = 2 ** 20;
const STREAM = 'soak';

/** Name of each process that is watched, and what its command line holds. */
const PROCESSES: ReadonlyArray<readonly [string, RegExp]> = [
  ['origin (Node)', /origin\/main\.ts/],
  ['edge host (Node)', /edge-worker\/host\/main\.ts/],
  ['workerd', /workerd(-linux-64)?\S* serve|bin\/workerd/],
  ['ffmpeg', /(^|\/)ffmpeg /],
];

interface Sample {
  readonly hours: number;
  readonly bytes: number;
}

printMachine(`${PLAYERS} players for ${MINUTES} minutes (640x360p30, H.264 + AAC over RTMP, parts of 0.5 s)`);
const rill = await startRill({ partTarget: 0.5, ladder: COPY_LADDER });
const publisher = startStampedPublisher({ url: await rill.rill('publish-url', STREAM, '--rtmp') });
try {
  const url = await until('two complete segments', async () => {
    const [variant] = (await fetchVariants(await rill.rill('play-url', STREAM))).variants;
    return variant !== undefined && (await fetchPlaylist(variant)).segments.length > 1 ? variant : undefined;
  });
  const memory = sampleMemory(rill.processId, MINUTES * 60_000);
  const outcomes = await Promise.all(Array.from({ length: PLAYERS }, (_, index) => play(url, index)));
  const isClean = reportPlayers(outcomes);
  reportMemory(await memory);
  process.exitCode = isClean ? 0 : 1;
} finally {
  await publisher.stop();
  await rill.stop();
}

type Outcome = Watched | { readonly failed: string };

async function play(playlistUrl: string, index: number): Promise<Outcome> {
  await sleep(index * JOIN_EVERY_MS);
  try {
    return await watch({ playlistUrl, durationMs: MINUTES * 60_000, inspect: inspectPart });
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}

/** A part is `moof` and `mdat`, and nothing is cut off: ISO/IEC 14496-12 §4.2. */
function inspectPart(_part: ListedPart, bytes: Buffer): string | undefined {
  const types: string[] = [];
  let at = 0;
  while (at + 8 <= bytes.length) {
    types.push(bytes.toString('latin1', at + 4, at + 8));
    at += Math.max(8, bytes.readUInt32BE(at));
  }
  const isWhole = at === bytes.length && types.includes('moof') && types.at(-1) === 'mdat';
  return isWhole ? undefined : `${bytes.length} bytes that are no whole fragment (${types.join(', ')})`;
}

function reportPlayers(outcomes: readonly Outcome[]): boolean {
  const watched = outcomes.filter((outcome) => 'parts' in outcome);
  const parts = watched.map((outcome) => outcome.parts);
  const buffers = watched.map((outcome) => outcome.leastBuffer);
  const bytes = watched.reduce((sum, outcome) => sum + outcome.bytes, 0);
  const stalls = watched.reduce((sum, outcome) => sum + outcome.stalls, 0);
  print(
    `parts a player: median ${quantile(parts, 0.5)}, min ${quantile(parts, 0)}, max ${quantile(parts, 1)}; ` +
      `${Math.round(bytes / MIB)} MiB in all`,
  );
  print(
    `least buffer of a player: median ${quantile(buffers, 0.5).toFixed(2)} s, min ${quantile(buffers, 0).toFixed(2)} s; stalls: ${stalls}`,
  );
  const faults = outcomes.flatMap((outcome, index) =>
    ('failed' in outcome ? [outcome.failed] : outcome.faults).map((fault) => `player ${index}: ${fault}`),
  );
  faults.forEach((fault) => print(fault));
  const isClean = faults.length === 0;
  print(
    isClean ? 'verdict: no stall, nothing missing, nothing repeated' : `verdict: ${faults.length} faults`,
  );
  return isClean;
}

async function sampleMemory(
  rootId: number,
  durationMs: number,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>(PROCESSES.map(([name]) => [name, []]));
  const startedAt = performance.now();
  while (performance.now() - startedAt < durationMs) {
    const hours = (performance.now() - startedAt) / 3_600_000;
    const processes = listDescendants(rootId);
    for (const [name, command] of PROCESSES) {
      const own = processes.filter((one) => command.test(one.command));
      const bytes = own.reduce((sum, one) => sum + one.residentBytes, 0);
      samples.get(name)?.push({ hours, bytes });
    }
    await sleep(SAMPLE_MS);
  }
  return samples;
}

function reportMemory(memory: ReadonlyMap<string, readonly Sample[]>): void {
  for (const [name, all] of memory) {
    const warm = all.slice(Math.floor(all.length * WARM_UP_SHARE));
    const sizes = all.map((sample) => sample.bytes);
    const inMib = (bytes: number | undefined): string => `${Math.round((bytes ?? 0) / MIB)} MiB`;
    print(
      `${name}: first ${inMib(sizes[0])}, after warm-up ${inMib(warm[0]?.bytes)}, last ${inMib(sizes.at(-1))}, ` +
        `min ${inMib(quantile(sizes, 0))}, max ${inMib(quantile(sizes, 1))}; ` +
        `after warm-up ${(slope(warm) / MIB).toFixed(1)} MiB an hour`,
    );
  }
}

/** Bytes an hour, by least squares. */
function slope(samples: readonly Sample[]): number {
  const mean = (pick: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + pick(sample), 0) / samples.length;
  const [hours, bytes] = [mean((sample) => sample.hours), mean((sample) => sample.bytes)];
  const covariance = mean((sample) => (sample.hours - hours) * (sample.bytes - bytes));
  return covariance / mean((sample) => (sample.hours - hours) ** 2);
}
