/**
 * Reduces `package.json` and `package-lock.json` to what one container image needs, so that `npm ci --omit=dev` in
 * its build installs that and nothing else, at the locked versions, and `npm sbom` in the image is its bill of
 * materials: `node cli/image-dependencies.ts origin`. Imports no package: it runs before there is one.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Packages of each image by what it runs: `origin/main.ts`, `edge-worker/host/main.ts`, and the build of the latter. */
export const IMAGES: Readonly<Record<string, readonly string[]>> = {
  origin: [
    '@hono/node-server',
    'aws4fetch',
    'fluent-ffmpeg',
    'hono',
    'jose',
    'koffi',
    'pino',
    'prom-client',
    'zod',
  ],
  edge: ['miniflare', 'pino', 'zod'],
  'edge-build': [
    '@svta/cml-cmcd',
    'aws4fetch',
    'cborg',
    'esbuild',
    'hls.js',
    'hono',
    'jose',
    'miniflare',
    'pino',
    'uplot',
    'wrangler',
    'zod',
  ],
};

/** What this file knows of a manifest, and of the lock file's entry for the project. */
interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}
interface Lock {
  readonly packages: Readonly<Record<string, Manifest>>;
  readonly [key: string]: unknown;
}

/** The manifest with these dependencies alone, neither optional nor development ones; throws for an unknown one. */
export function selectDependencies(manifest: Manifest, names: readonly string[]): Manifest {
  const { devDependencies: _dev, optionalDependencies: _optional, dependencies = {}, ...rest } = manifest;
  const kept = names.map((name) => {
    const version = dependencies[name];
    if (version === undefined) {
      throw new Error(`package.json has no dependency ${name}, which an image needs`);
    }
    return [name, version];
  });
  return { ...rest, dependencies: Object.fromEntries(kept) };
}

/** The lock file for {@link selectDependencies}; npm passes over entries that nothing leads to. */
export function selectLocked(lock: Lock, names: readonly string[]): Lock {
  return { ...lock, packages: { ...lock.packages, '': selectDependencies(lock.packages[''] ?? {}, names) } };
}

async function main(image: string | undefined): Promise<void> {
  const names = IMAGES[image ?? ''];
  if (names === undefined) {
    throw new Error(`usage: node cli/image-dependencies.ts ${Object.keys(IMAGES).join('|')}`);
  }
  const manifest: Manifest = JSON.parse(await readFile('package.json', 'utf8'));
  const lock: Lock = JSON.parse(await readFile('package-lock.json', 'utf8'));
  await writeFile('package.json', JSON.stringify(selectDependencies(manifest, names)));
  await writeFile('package-lock.json', JSON.stringify(selectLocked(lock, names)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(process.argv[2]);
}
