/** Builds the Worker for a host: options from `wrangler.toml`, the one place that names the bindings, and one module. */

import path from 'node:path';
import { build, type Loader } from 'esbuild';
import type { V4ModuleRule, V4WorkerOptionsShape } from 'miniflare';
import { unstable_getMiniflareWorkerOptions as readWorkerOptions } from 'wrangler';
import { FRONT_OPTIONS_MODULE, type BuiltWorker } from './built-worker.ts';

/** Builds the Worker of a configuration file behind the `behindFront` of the module `front`. */
export async function buildWorker(configFile: string, front: string): Promise<BuiltWorker> {
  const { workerOptions, define, main, externalWorkers } = readWorkerOptions(configFile);
  if (main === undefined) {
    throw new Error(`${configFile} names no "main": it must name the Worker's entry file`);
  }
  // Its declared type forgets every known option behind an index signature; Miniflare's own type has them.
  const { modulesRules, ...options }: V4WorkerOptionsShape & { readonly modulesRules?: V4ModuleRule[] } =
    workerOptions;
  const module = await bundle({ main, front, define, loader: textLoaders(modulesRules ?? []) });
  return { options, others: externalWorkers, module };
}

/** Bundles the Worker behind its front into one module as wrangler does. */
async function bundle(input: {
  readonly main: string;
  readonly front: string;
  readonly define: Readonly<Record<string, string>>;
  readonly loader: Readonly<Record<string, Loader>>;
}): Promise<string> {
  const result = await build({
    stdin: { contents: entryModule(input), resolveDir: path.dirname(input.main) },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*', FRONT_OPTIONS_MODULE],
    define: { ...input.define },
    loader: { ...input.loader },
    sourcemap: 'inline',
    logLevel: 'silent',
  });
  const output = result.outputFiles[0];
  if (output === undefined) {
    throw new Error(`esbuild made no output of ${input.main}`);
  }
  return output.text;
}

function entryModule({ main, front }: { readonly main: string; readonly front: string }): string {
  return `
    export * from ${JSON.stringify(main)};
    import worker from ${JSON.stringify(main)};
    import { behindFront } from ${JSON.stringify(front)};
    import frontOptions from ${JSON.stringify(FRONT_OPTIONS_MODULE)};
    export default behindFront(worker, frontOptions);
  `;
}

/** esbuild's loaders for the file extensions that wrangler's rules import as text. */
function textLoaders(rules: readonly V4ModuleRule[]): Record<string, Loader> {
  const globs = rules.filter((rule) => rule.type === 'Text').flatMap((rule) => rule.include);
  const extensions = globs.flatMap((glob) => /^\*\*\/\*(\.[a-z0-9.]+)$/i.exec(glob)?.[1] ?? []);
  return Object.fromEntries(extensions.map((extension) => [extension, 'text' as const]));
}
