/**
 * CPU and memory of the origin for 1, 5 and 20 `copy` streams of 4 Mbit/s over RTMP: Node, ffmpeg and the local edge
 * (workerd and its host) apart, with what each stream more costs (least squares), and the origin's start-up time. CPU is
 * user + system time as a share of one core. `npm run bench:resources [-- COUNTS…]`, such as `-- 1 5 20`, and
 * `--seconds=N` to measure each for so long.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRill, type RillInstance } from '../test/support/rill-instance.ts';
import { listDescendants, type ProcessUsage } from '../test/support/process-usage.ts';
import { makeClip, publishClip, type ClipPublisher } from '../test/support/publishing-clip.ts';
import { print, printMachine } from './report.ts';
import { COPY_LADDER } from '../test/support/ladders.ts';

const SETTLE_MS = 8_000;
const MEASURE_SECONDS = 30;
/** Place of `starttime` behind the command's name in `/proc/PID/stat`, and what it counts in (`man 5 proc`). */
const START_TIME_FIELD = 19;
const TICKS_PER_SECOND = 100;

const given = process.argv.slice(2);
const counts = given.filter((one) => !one.startsWith('--')).map(Number);
const seconds = given.find((one) => one.startsWith('--seconds='))?.split('=')[1];
const measureMs = Number(seconds ?? MEASURE_SECONDS) * 1_000;
if (counts.length === 0) {
  counts.push(1, 5, 20);
}

/** What one group of processes took for so many streams. */
interface Figure {
  readonly name: string;
  readonly streams: number;
  /** Percent of one core. */
  readonly cpu: number;
  readonly mebibytes: number;
}

const GROUPS: Readonly<Record<string, (command: string) => boolean>> = {
  'origin (Node)': (command) => command.includes('origin/main.ts'),
  ffmpeg: (command) => /(^|\/)ffmpeg /.test(command),
  'local edge': (command) => command.includes('workerd') || command.includes('edge-worker/host'),
};

printMachine('Origin CPU and memory, copy streams of 4 Mbit/s over RTMP, parts of 0.5 s');
const folder = await mkdtemp(join(tmpdir(), 'rill-bench-'));
const clip = join(folder, 'clip.flv');
makeClip(clip, '4M');
const figures: Figure[] = [];
for (const streams of counts) {
  const rill = await startRill({ partTarget: 0.5, ladder: COPY_LADDER });
  try {
    print(`origin ready ${await startUpMs(rill)} ms after its process began`);
    figures.push(...(await measure(rill, streams)));
  } finally {
    await rill.stop();
  }
}
await rm(folder, { recursive: true });
for (const name of counts.length > 1 ? Object.keys(GROUPS) : []) {
  const own = figures.filter((figure) => figure.name === name);
  const [cpu, memory] = [slope(own, 'cpu'), slope(own, 'mebibytes')];
  print(`${name}, each stream more: ${cpu.toFixed(2)} % CPU, ${memory.toFixed(1)} MiB`);
}

async function measure(rill: RillInstance, streams: number): Promise<readonly Figure[]> {
  const publishers: ClipPublisher[] = [];
  try {
    for (let index = 0; index < streams; index += 1) {
      publishers.push(publishClip(clip, await rill.rill('publish-url', `load${index}`, '--rtmp')));
    }
    await sleep(SETTLE_MS);
    const before = listDescendants(rill.processId);
    await sleep(measureMs);
    const after = listDescendants(rill.processId);
    return Object.entries(GROUPS).map(([name, matches]) => {
      const own = after.filter((one) => matches(one.command));
      const seconds = own.reduce((sum, one) => sum + one.cpuSeconds - cpuBefore(before, one), 0);
      const cpu = (seconds * 100_000) / measureMs;
      const mebibytes = own.reduce((sum, one) => sum + one.residentBytes, 0) / 2 ** 20;
      const what = `${cpu.toFixed(1)} % CPU, ${Math.round(mebibytes)} MiB, ${own.length} process(es)`;
      print(`${streams} stream(s), ${name}: ${what}`);
      return { name, streams, cpu, mebibytes };
    });
  } finally {
    await Promise.all(publishers.map((publisher) => publisher.stop()));
  }
}

/** Growth with each stream, by least squares. */
function slope(figures: readonly Figure[], value: 'cpu' | 'mebibytes'): number {
  const mean = (of: (figure: Figure) => number): number =>
    figures.reduce((sum, figure) => sum + of(figure), 0) / figures.length;
  const [streams, values] = [mean((figure) => figure.streams), mean((figure) => figure[value])];
  const together = mean((figure) => (figure.streams - streams) * (figure[value] - values));
  return together / mean((figure) => (figure.streams - streams) ** 2);
}

/** From the origin's exec, as the kernel has it, to its word that it is ready. */
async function startUpMs(rill: RillInstance): Promise<string> {
  const origin = listDescendants(rill.processId).find((one) => one.command.includes('origin/main.ts'));
  const ready = /"time":(\d+)[^\n]*the origin is ready/.exec(rill.output())?.[1];
  if (origin === undefined || ready === undefined) {
    return 'unknown';
  }
  const [stat, uptime] = await Promise.all([
    readFile(`/proc/${origin.processId}/stat`, 'utf8'),
    readFile('/proc/uptime', 'utf8'),
  ]);
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_TIME_FIELD]);
  const began = Date.now() - Number(uptime.split(' ')[0]) * 1_000 + (ticks * 1_000) / TICKS_PER_SECOND;
  return String(Math.round(Number(ready) - began));
}

function cpuBefore(before: readonly ProcessUsage[], one: ProcessUsage): number {
  return before.find((other) => other.processId === one.processId)?.cpuSeconds ?? 0;
}
