/** Before the tests of a running system: builds the Worker once, which every edge would otherwise do at its start. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { buildWorker } from '../../edge-worker/host/build-worker.ts';

const ROOT = path.join(import.meta.dirname, '../..');
/** Variables with the files of what was built, by the front that it is behind. */
const FRONTS = {
  RILL_BUILT_WORKER: path.join(ROOT, 'edge-worker/host/front.ts'),
  RILL_TEST_PLACED_WORKER: path.join(import.meta.dirname, 'placed-front.ts'),
} as const;

/** Runs once for a run of the tests; what it returns runs after them. */
export async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'rill-worker-'));
  for (const [variable, front] of Object.entries(FRONTS)) {
    const file = path.join(folder, `${variable}.json`);
    await writeFile(file, JSON.stringify(await buildWorker(path.join(ROOT, 'wrangler.toml'), front)));
    process.env[variable] = file;
  }
  return () => rm(folder, { recursive: true, force: true });
}
