/** Resident memory of each kind of process of an instance, over a long run. */

import { setTimeout as sleep } from 'node:timers/promises';
import { listDescendants } from '../test/support/process-usage.ts';
import { print, quantile } from './report.ts';

const SAMPLE_MS = 5_000;
/** Share of the run that is warm-up: caches fill, and each heap grows up to where it is collected. */
const WARM_UP_SHARE = 0.6;
const MIB = 2 ** 20;

/** Name of each kind of process that is watched, and what its command line holds. */
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

/** Samples the memory of an instance's processes until the time is over. */
export async function sampleMemory(
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

/** Prints how it went, and the slope after the warm-up. */
export function reportMemory(memory: ReadonlyMap<string, readonly Sample[]>): void {
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
