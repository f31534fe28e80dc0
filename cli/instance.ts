/** The record of an instance in its data folder: where it listens, and that it runs. */

import { link, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { CommandError } from './terminal.ts';

const FILE = 'instance.json';
/** Stale records that are cleared away before giving up: more means that starts race each other. */
const MAX_CLAIMS = 3;

const port = z.int().min(1).max(65_535);
const instanceSchema = z.object({
  host: z.string().min(1),
  ports: z.object({ edge: port, rtmp: port, srt: port, control: port }),
  pid: z.int().min(1),
});
/** Where an instance listens and the process that runs it. */
export type Instance = z.infer<typeof instanceSchema>;

/** Reads the record of the instance that runs, or ran last; `undefined` where none ever did. */
export async function readInstance(dataDir: string): Promise<Instance | undefined> {
  let text: string;
  try {
    text = await readFile(path.join(dataDir, FILE), 'utf8');
  } catch {
    return undefined;
  }
  try {
    return instanceSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * Takes the data folder for this process; two at once would write the same objects. Throws a
 * {@link CommandError} when a living instance has it.
 */
export async function claimDataDir(
  dataDir: string,
  instance: Instance,
  isAlive: (pid: number) => Promise<boolean> = isRunningInstance,
): Promise<void> {
  const file = path.join(dataDir, FILE);
  const beside = `${file}.${instance.pid}`;
  await writeFile(beside, `${JSON.stringify(instance, null, 2)}\n`, { mode: 0o600 });
  try {
    for (let claim = 0; claim < MAX_CLAIMS; claim += 1) {
      const holder = await readInstance(dataDir);
      if (holder !== undefined && holder.pid !== instance.pid && (await isAlive(holder.pid))) {
        throw new CommandError(
          `${dataDir} belongs to the instance that runs as process ${holder.pid} (edge on port ${holder.ports.edge}): ` +
            'stop that one, or give this one a folder of its own with --data-dir',
        );
      }
      await rm(file, { force: true });
      if (await linkUnlessThere(beside, file)) {
        return;
      }
    }
    throw new CommandError(`another instance is just starting in ${dataDir}: try again`);
  } finally {
    await rm(beside, { force: true });
  }
}

/** A link, unlike a write, fails where the name exists: of two starts at once one wins. */
async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      return false;
    }
    throw error;
  }
}

/** True when the process lives and, as far as the system tells, is an instance and not a later one of that number. */
async function isRunningInstance(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes('start.ts');
  } catch {
    return true;
  }
}
