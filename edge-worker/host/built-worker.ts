/** The Worker as a host runs it: its module and its options in one file, so that an image needs neither bundler nor wrangler. */

import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { V4WorkerOptions, V4WorkerOptionsShape } from 'miniflare';

/** Module that the Worker's imports for what its front is told; a host gives its text at each start. */
export const FRONT_OPTIONS_MODULE = './rill-front-options.mjs';

/** A Worker, bundled behind its front. */
export interface BuiltWorker {
  /** The Worker's bindings as `wrangler.toml` has them. */
  readonly options: V4WorkerOptionsShape;
  /** Further Workers that it names. */
  readonly others: readonly V4WorkerOptions[];
  /** Its ES module; imports {@link FRONT_OPTIONS_MODULE}. */
  readonly module: string;
}

/** The options' fields are wrangler's to name, and Miniflare checks them itself. */
const builtWorkerSchema = z.object({
  options: z.custom<V4WorkerOptionsShape>(isObject),
  others: z.array(z.custom<V4WorkerOptions>(isObject)),
  module: z.string().min(1),
});

/** Reads what `edge-worker/host/build-main.ts` wrote. */
export async function readBuiltWorker(file: string): Promise<BuiltWorker> {
  return builtWorkerSchema.parse(JSON.parse(await readFile(file, 'utf8')));
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
