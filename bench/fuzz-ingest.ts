/**
 * Fuzzes everything that reads an encoder's bytes: RTMP's handshake and chunks, AMF0, FLV tags, MPEG-TS, and the MP4 that
 * ffmpeg makes of them. `npm run fuzz:ingest`, or `-- 50000 7` for a count of cases and a seed. A case that breaks
 * something is written to `.rill/fuzz`, and becomes a file of `test/fuzz/corpus` when it is mended.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runFuzz } from '../test/fuzz/fuzz-run.ts';
import { print, printMachine } from './report.ts';

const DEFAULT_CASES = 1_000_000;
const FINDINGS = join(import.meta.dirname, '../.rill/fuzz');

const cases = Number(process.argv[2] ?? DEFAULT_CASES);
const seed = Number(process.argv[3] ?? Date.now() % 0x7fff_ffff);
printMachine(`${cases} damaged captures, seed ${seed}`);
const before = process.memoryUsage();
const began = performance.now();
const { cases: done, refused, failures } = runFuzz({ seed, cases, timeMs: Number.POSITIVE_INFINITY });
const seconds = (performance.now() - began) / 1_000;
for (const [target, count] of done) {
  print(`${target.padEnd(8)} ${count} cases, ${refused.get(target) ?? 0} refused by the reader's own error`);
}
for (const [index, { target, what, bytes }] of failures.entries()) {
  mkdirSync(FINDINGS, { recursive: true });
  const file = join(FINDINGS, `${target}-${seed}-${index}.bin`);
  writeFileSync(file, bytes);
  print(`BROKEN ${target}, ${bytes.length} bytes in ${file}: ${what}`);
}
const { rss } = process.memoryUsage();
print(`memory ${Math.round(before.rss / 2 ** 20)} MiB before, ${Math.round(rss / 2 ** 20)} MiB after`);
print(`${failures.length} broken in ${seconds.toFixed(0)} s`);
process.exitCode = failures.length === 0 ? 0 : 1;
