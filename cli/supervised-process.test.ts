import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { expect, test, vi } from 'vitest';
import { milliseconds } from '#shared/media-time.ts';
import { SupervisedProcess, restartDelay, type ProcessPlan } from './supervised-process.ts';

const WAIT = { timeout: 20_000, interval: 20 };
const READY = "process.send('ready'); setInterval(() => {}, 1000);";

test('is started when its process says that it is ready, and gone when stopped', async () => {
  const { lines, supervised } = supervise(READY);
  await supervised.start();
  const pid = supervised.pid ?? 0;
  expect(isAlive(pid)).toBe(true);
  await supervised.stop();
  expect(isAlive(pid)).toBe(false);
  expect(lines).toEqual([]);
});

test('lets a process end that has nothing left to do but listen for the end of its parent', async () => {
  const { lines, supervised } = supervise(
    `process.on('SIGTERM', () => {}); process.on('disconnect', () => {}); process.send('ready');`,
  );
  await supervised.start();
  await supervised.stop();
  expect(lines).toEqual([]);
});

test('does not start when its process ends before it is ready, and says how it ended', async () => {
  const { supervised } = supervise('process.exit(3)');
  await expect(supervised.start()).rejects.toThrow('the part did not start: it ended with exit code 3');
});

test('does not start when its program is missing', async () => {
  const { supervised } = supervise('', { command: '/nowhere/at-all' });
  await expect(supervised.start()).rejects.toThrow(/the part did not start: it could not be run \(.*ENOENT/);
});

test('starts its process again when that is killed, and ends what the killed one left behind', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'rill-supervised-'));
  const file = path.join(folder, 'pid');
  const { lines, supervised } = supervise(
    `const { pid } = require('node:child_process').spawn('sleep', ['1000'], { stdio: 'ignore' });
     require('node:fs').writeFileSync(${JSON.stringify(file)}, String(pid)); ${READY}`,
  );
  await supervised.start();
  const leftBehind = Number(await readFile(file, 'utf8'));
  const first = supervised.pid ?? 0;
  process.kill(first, 'SIGKILL');
  await vi.waitFor(() => {
    expect(lines).toEqual([
      'the part was ended by SIGKILL: it starts again in 0.25 s',
      'the part is running again',
    ]);
  }, WAIT);
  expect(supervised.pid).not.toBe(first);
  expect(isAlive(leftBehind)).toBe(false);
  await supervised.stop();
  await rm(folder, { recursive: true });
});

test('kills a process that does not end within its grace', async () => {
  const { lines, supervised } = supervise(`process.on('SIGTERM', () => {}); ${READY}`, {
    grace: milliseconds(100),
  });
  await supervised.start();
  const pid = supervised.pid ?? 0;
  await supervised.stop();
  expect(isAlive(pid)).toBe(false);
  expect(lines).toEqual(['the part did not end within 0.1 s: killed']);
});

test('waits longer after each death in a row, up to a limit', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 12].map(restartDelay)).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
});

function supervise(
  script: string,
  plan: Partial<ProcessPlan> = {},
): { readonly lines: readonly string[]; readonly supervised: SupervisedProcess } {
  const lines: string[] = [];
  const supervised = new SupervisedProcess(
    {
      name: 'part',
      command: process.execPath,
      args: ['--eval', script],
      env: process.env,
      ipc: true,
      readiness: { kind: 'message' },
      grace: milliseconds(10_000),
      ...plan,
    },
    { say: (line) => lines.push(line), onGivenUp: (error) => lines.push(error.message) },
  );
  return { lines, supervised };
}

/** A zombie that nobody has waited for yet does not count. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
