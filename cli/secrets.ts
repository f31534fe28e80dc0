/** Secrets of an instance: made on its first start, kept in a file that only its user can read. */

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { CommandError } from './terminal.ts';

/** Random bytes of one secret. */
const SECRET_BYTES = 32;
const FILE = 'secrets.json';
const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;
const OTHERS = 0o077;

const secret = z.string().min(16);
const secretsSchema = z.object({
  /** Signs playback tokens. */
  playSecret: secret,
  /** Authenticates the origin at the edge. */
  serviceToken: secret,
  /** Authenticates callers of the control API. */
  controlToken: secret,
  /** Publish keys derive from it. */
  publishSecret: secret,
  s3AccessKeyId: secret,
  s3SecretAccessKey: secret,
});
/** All secrets of an instance. */
export type Secrets = z.infer<typeof secretsSchema>;

/** Reads the secrets, after making those that are missing; `repaired` tells that others could read the file. */
export async function ensureSecrets(
  dataDir: string,
): Promise<{ readonly secrets: Secrets; readonly created: boolean; readonly repaired: boolean }> {
  await mkdir(dataDir, { recursive: true, mode: PRIVATE_FOLDER });
  const file = path.join(dataDir, FILE);
  const text = await readIfThere(file);
  if (text === undefined) {
    const secrets = makeSecrets();
    await writePrivately(file, secrets);
    return { secrets, created: true, repaired: false };
  }
  const { mode } = await stat(file);
  const repaired = (mode & OTHERS) !== 0;
  if (repaired) {
    await chmod(file, PRIVATE_FILE);
  }
  return { secrets: parseSecrets(file, text), created: false, repaired };
}

/** Reads the secrets of an instance that has been started before. */
export async function readSecrets(dataDir: string): Promise<Secrets> {
  const file = path.join(dataDir, FILE);
  const text = await readIfThere(file);
  if (text === undefined) {
    throw new CommandError(
      `no instance in ${dataDir}: start one with "npm start", or name its folder with --data-dir`,
    );
  }
  return parseSecrets(file, text);
}

function makeSecrets(): Secrets {
  const make = (): string => randomBytes(SECRET_BYTES).toString('base64url');
  return {
    playSecret: make(),
    serviceToken: make(),
    controlToken: make(),
    publishSecret: make(),
    s3AccessKeyId: make(),
    s3SecretAccessKey: make(),
  };
}

function parseSecrets(file: string, text: string): Secrets {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CommandError(`${file} is not JSON: restore it, or delete it to get new secrets and new keys`);
  }
  const parsed = secretsSchema.safeParse(json);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
    throw new CommandError(
      `${file} lacks a usable ${wrong}: restore it, or delete it to get new secrets and new keys`,
    );
  }
  return parsed.data;
}

async function writePrivately(file: string, secrets: Secrets): Promise<void> {
  const beside = `${file}.${process.pid}`;
  const handle = await open(beside, 'wx', PRIVATE_FILE);
  try {
    await handle.writeFile(`${JSON.stringify(secrets, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw new CommandError(`${file} cannot be read: ${String(error)}`, { cause: error });
  }
}
