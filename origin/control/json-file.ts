/** A small JSON document in the data folder: whole or not there, never half written. */

import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';

/** What was kept can be neither read nor understood; the message names the file and the remedy. */
class KeptFileError extends Error {
  override readonly name = 'KeptFileError';
  readonly code = 'damaged-file';
}

/** Only the origin's user reads it: it holds hashes of keys, and what events told. */
const PRIVATE_FILE = 0o600;

/** Reads a document; `fallback` where there is none. Throws {@link KeptFileError} for one that is not of the schema. */
export async function readJsonFile<T>(path: string, schema: z.ZodType<T>, fallback: T): Promise<T> {
  const text = await readIfThere(path);
  if (text === undefined) {
    return fallback;
  }
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new KeptFileError(`${path} is damaged: restore it, or delete it to forget what was set`);
  }
  return parsed.data;
}

/** Writes a document beside its place, and moves it there once the disk has it. */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.unfinished`;
  const handle = await open(beside, 'w', PRIVATE_FILE);
  try {
    await handle.writeFile(JSON.stringify(value));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, path);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
