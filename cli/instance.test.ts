import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimDataDir, readInstance, type Instance } from './instance.ts';

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'rill-instance-'));
});

afterEach(async () => {
  await rm(dataDir, { recursive: true });
});

test('records where the instance listens', async () => {
  await claimDataDir(dataDir, instance(1));
  expect(await readInstance(dataDir)).toEqual(instance(1));
  expect(await readdir(dataDir)).toEqual(['instance.json']);
});

test('refuses a folder whose instance lives, and names its process', async () => {
  await claimDataDir(dataDir, instance(1));
  await expect(claimDataDir(dataDir, instance(2), async () => true)).rejects.toThrow(
    /runs as process 1 .*--data-dir/,
  );
  expect(await readInstance(dataDir)).toEqual(instance(1));
});

test('takes over a folder whose instance is gone', async () => {
  await claimDataDir(dataDir, instance(1));
  await claimDataDir(dataDir, instance(2), async () => false);
  expect(await readInstance(dataDir)).toEqual(instance(2));
});

function instance(pid: number): Instance {
  return { host: '127.0.0.1', ports: { edge: 8080, rtmp: 1935, srt: 9000, control: 8081 }, pid };
}
