/**
 * CPU and memory of the origin for 1 and 5 `copy` streams of 4 Mbit/s over RTMP: Node, ffmpeg and the local
 * edge (workerd and its host) apart. CPU is user + system time as a share of one core. `npm run bench:resources`
 */

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRill, type RillInstance } from '../test/support/rill-instance.ts';
import { listDescendants, type ProcessUsage } from '../test/support/process-usage.ts';
import { print, printMachine } from './report.ts';
import { COPY_LADDER } from '../test/support/ladders.ts';

const SETTLE_MS = 8_000;
const MEASURE_MS = 30_000;
const CLIP_SECONDS = 20;

const GROUPS: Readonly<Record<string, (command: string) => boolean>> = {
  'origin (Node)': (command) => command.includes('origin/main.ts'),
  ffmpeg: (command) => /(^|\/)ffmpeg /.test(command),
  'local edge': (command) => command.includes('workerd') || command.includes('edge-worker/host'),
};

printMachine('Origin CPU and memory, copy streams of 4 Mbit/s over RTMP, parts of 0.5 s');
const folder = await mkdtemp(join(tmpdir(), 'rill-bench-'));
const clip = join(folder, 'clip.flv');
makeClip(clip);
for (const streams of [1, 5]) {
  const rill = await startRill({ partTarget: 0.5, ladder: COPY_LADDER });
  try {
    await measure(rill, streams);
  } finally {
    await rill.stop();
  }
}
await rm(folder, { recursive: true });

async function measure(rill: RillInstance, streams: number): Promise<void> {
  const publishers: ChildProcess[] = [];
  try {
    for (let index = 0; index < streams; index += 1) {
      const url = await rill.rill('publish-url', `load${index}`, '--rtmp');
      const input = ['-re', '-stream_loop', '-1', '-i', clip];
      publishers.push(
        spawn('ffmpeg', ['-v', 'error', ...input, '-c', 'copy', '-f', 'flv', url], { stdio: 'ignore' }),
      );
    }
    await sleep(SETTLE_MS);
    const before = listDescendants(rill.processId);
    await sleep(MEASURE_MS);
    const after = listDescendants(rill.processId);
    for (const [name, matches] of Object.entries(GROUPS)) {
      const own = after.filter((one) => matches(one.command));
      const cpu = own.reduce((sum, one) => sum + one.cpuSeconds - cpuBefore(before, one), 0);
      const memory = own.reduce((sum, one) => sum + one.residentBytes, 0);
      const share = ((cpu * 100_000) / MEASURE_MS).toFixed(1);
      print(
        `${streams} stream(s), ${name}: ${share} % CPU, ${Math.round(memory / 2 ** 20)} MiB, ${own.length} process(es)`,
      );
    }
  } finally {
    for (const publisher of publishers) {
      if (publisher.exitCode === null) {
        publisher.kill('SIGINT');
        await once(publisher, 'exit');
      }
    }
  }
}

function cpuBefore(before: readonly ProcessUsage[], one: ProcessUsage): number {
  return before.find((other) => other.processId === one.processId)?.cpuSeconds ?? 0;
}

function makeClip(file: string): void {
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=30,noise=alls=20:allf=t'],
    ...['-f', 'lavfi', '-i', 'sine', '-t', String(CLIP_SECONDS), '-pix_fmt', 'yuv420p'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '60', '-keyint_min', '60', '-sc_threshold', '0'],
    ...['-b:v', '4M', '-minrate', '4M', '-maxrate', '4M', '-bufsize', '4M', '-x264-params', 'nal-hrd=cbr'],
    ...['-c:a', 'aac', '-b:a', '128k', '-ac', '2', file],
  ]);
}
