import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureSecrets, readSecrets } from './secrets.ts';

let parent: string;
let dataDir: string;

beforeEach(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'rill-secrets-'));
  dataDir = path.join(parent, 'data');
});

afterEach(async () => {
  await rm(parent, { recursive: true });
});

test('makes secrets that only their user can read, each of 32 random bytes and no two alike', async () => {
  const { secrets, created } = await ensureSecrets(dataDir);
  expect(created).toBe(true);
  expect((await stat(path.join(dataDir, 'secrets.json'))).mode & 0o777).toBe(0o600);
  expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  const values = Object.values(secrets);
  expect(new Set(values).size).toBe(6);
  expect(values.every((value) => Buffer.from(value, 'base64url').length === 32)).toBe(true);
});

test('keeps the secrets of an earlier start', async () => {
  const { secrets } = await ensureSecrets(dataDir);
  expect(await ensureSecrets(dataDir)).toEqual({ secrets, created: false, repaired: false });
  expect(await readSecrets(dataDir)).toEqual(secrets);
});

test('closes a file that others can read, and says so', async () => {
  await ensureSecrets(dataDir);
  const file = path.join(dataDir, 'secrets.json');
  await chmod(file, 0o644);
  expect((await ensureSecrets(dataDir)).repaired).toBe(true);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('names the secret that a damaged file lacks, without a value, and leaves the file alone', async () => {
  const { secrets } = await ensureSecrets(dataDir);
  const file = path.join(dataDir, 'secrets.json');
  const damaged = JSON.stringify({ ...secrets, playSecret: 'short' });
  await writeFile(file, damaged);
  const failure = await ensureSecrets(dataDir).catch(String);
  expect(failure).toMatch(/secrets\.json lacks a usable playSecret/);
  expect(failure).not.toContain('short');
  expect(await readFile(file, 'utf8')).toBe(damaged);
});

test('says where to start an instance where there is none', async () => {
  await expect(readSecrets(dataDir)).rejects.toThrow(/no instance in .*: start one with "npm start"/);
});
