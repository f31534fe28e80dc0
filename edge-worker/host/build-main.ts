/** Writes the Worker of `wrangler.toml`, built for a host, to the file that is named: what the container image starts from. */

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildWorker } from './build-worker.ts';

const [, , file = '.build/worker.json'] = process.argv;
const root = fileURLToPath(new URL('../../', import.meta.url));
const worker = await buildWorker(
  path.join(root, 'wrangler.toml'),
  path.join(root, 'edge-worker/host/front.ts'),
);
await mkdir(path.dirname(file), { recursive: true });
await writeFile(file, JSON.stringify(worker));
