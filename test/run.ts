/** `npm test`: every check and every test, one line a step; `--check` leaves out those that need a running system. */

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { z } from 'zod';

/** A script of package.json; `tests` where it runs vitest. */
interface Step {
  readonly script: string;
  readonly tests: boolean;
}

interface Outcome {
  readonly code: number;
  readonly output: string;
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** What `npm run check` runs, all at the same time: no step alone keeps two cores busy. */
const CHECKS: readonly Step[] = [
  { script: 'format', tests: false },
  { script: 'lint', tests: false },
  { script: 'types', tests: false },
  { script: 'knip', tests: false },
  { script: 'unit', tests: true },
];
/** Tests of a running system, at the same time as well: most of `e2e` is waiting for pictures in real time. */
const SYSTEM_TESTS: readonly Step[] = [
  { script: 'e2e', tests: true },
  { script: 'wire', tests: true },
];
/** Tests of how fast an origin takes over, alone, since others on two cores would be what they measure. */
const ORIGIN_TESTS: readonly Step[] = [{ script: 'feeds', tests: true }];
/** Milliseconds between two signs of life of a step that takes long. */
const HEARTBEAT_MS = 30_000;
/** Output of a step that is kept for the case that it fails, characters. */
const MAX_OUTPUT = 1_000_000;

const reportSchema = z.object({ numPassedTests: z.int(), numFailedTests: z.int() });

process.exitCode = await runAll(
  process.argv.includes('--check') ? [CHECKS] : [CHECKS, SYSTEM_TESTS, ORIGIN_TESTS],
);

/** Runs groups of steps one after the other, up to the first group in which something fails. */
async function runAll(groups: readonly (readonly Step[])[]): Promise<number> {
  const folder = await mkdtemp(path.join(tmpdir(), 'rill-tests-'));
  let total: Counts = { passed: 0, failed: 0 };
  let failed = false;
  try {
    for (const steps of groups) {
      const results = await Promise.all(steps.map((step) => runStep(step, folder)));
      for (const { code, output, counts } of results) {
        total = { passed: total.passed + counts.passed, failed: total.failed + counts.failed };
        if (code !== 0) {
          print(output);
          failed = true;
        }
      }
      if (failed) {
        break;
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  print(`${total.passed} passed, ${total.failed} failed`);
  return failed ? 1 : 0;
}

async function runStep(
  { script, tests }: Step,
  folder: string,
): Promise<Outcome & { readonly counts: Counts }> {
  const report = path.join(folder, `${script}.json`);
  const started = performance.now();
  const elapsed = (): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const heartbeat = setInterval(() => {
    print(`${script} is still running after ${elapsed()}`);
  }, HEARTBEAT_MS);
  const reporters = ['--', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const outcome = await runNpm(['run', '-s', script, ...(tests ? reporters : [])]);
  clearInterval(heartbeat);
  print(`${script.padEnd(8)} ${outcome.code === 0 ? 'ok    ' : 'FAILED'} ${elapsed()}`);
  const counts = tests ? await readCounts(report, outcome.code) : { passed: 0, failed: 0 };
  return { ...outcome, counts };
}

async function runNpm(args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-MAX_OUTPUT);
    };
    const child = spawn('npm', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => {
      resolve({ code: 1, output: `npm could not be run: ${error.message}` });
    });
    child.once('close', (code) => {
      resolve({ code: code ?? 1, output });
    });
  });
}

/** Counts of a vitest run; one that failed without a failed test, or without a report, counts as one failure. */
async function readCounts(report: string, code: number): Promise<Counts> {
  const least = code === 0 ? 0 : 1;
  try {
    const counts = reportSchema.parse(JSON.parse(await readFile(report, 'utf8')));
    return { passed: counts.numPassedTests, failed: Math.max(counts.numFailedTests, least) };
  } catch {
    return { passed: 0, failed: least };
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
