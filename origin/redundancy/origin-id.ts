/** An origin's name towards the stream hubs: made once and kept in its data folder. */

import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { originIdSchema } from '#shared/wire/lease.ts';

const FILE = 'origin-id';

/** Reads the name, after making one where there is none that will do. */
export async function ensureOriginId(dataDir: string): Promise<string> {
  const path = join(dataDir, FILE);
  const kept = await readFile(path, 'utf8').catch(() => '');
  const id = originIdSchema.safeParse(kept.trim());
  if (id.success) {
    return id.data;
  }
  const made = randomUUID();
  await mkdir(dataDir, { recursive: true });
  await writeFile(path, `${made}\n`, { mode: 0o600 });
  return made;
}
