import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { IMAGES, selectDependencies, selectLocked } from './image-dependencies.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
/** Loaded only where the output is a terminal. */
const NOT_IN_IMAGES = new Set(['pino-pretty']);

describe('the packages of an image', () => {
  it.each([
    ['origin', 'origin/main.ts', []],
    ['edge', 'edge-worker/host/main.ts', ['edge-worker/host/build-worker.ts']],
  ])('are those that %s imports', async (image, entry, builtAhead) => {
    expect(await packagesOf(entry, builtAhead)).toEqual(IMAGES[image]);
  });

  it('are, for the build of the edge, those of the Worker, its pages and the host', async () => {
    const entries = [
      'edge-worker/index.ts',
      'edge-worker/host/build-main.ts',
      'cli/build-pages.ts',
      'edge-worker/pages/watch.ts',
      'edge-worker/pages/dashboard.ts',
    ];
    const needed = await Promise.all(entries.map((entry) => packagesOf(entry, [])));
    expect(IMAGES['edge-build']).toEqual(expect.arrayContaining([...new Set(needed.flat())]));
  });

  it('leave nothing else in manifest and lock file, at the versions that are locked', () => {
    const manifest = {
      name: 'x',
      dependencies: { a: '1.0.0', b: '2.0.0' },
      optionalDependencies: { c: '3.0.0' },
    };
    const reduced = { name: 'x', dependencies: { b: '2.0.0' } };
    expect(selectDependencies(manifest, ['b'])).toEqual(reduced);
    const locked = { 'node_modules/b': { version: '2.0.0' } };
    expect(selectLocked({ packages: { '': manifest, ...locked } }, ['b'])).toEqual({
      packages: { '': reduced, ...locked },
    });
    expect(() => selectDependencies(manifest, ['d'])).toThrow('no dependency d');
  });

  it.each(['origin', 'edge-worker'])(
    'come from the Dockerfile of %s, which names no user but its own',
    async (folder) => {
      const text = await readFile(path.join(ROOT, folder, 'Dockerfile'), 'utf8');
      const image = folder === 'origin' ? 'origin' : 'edge';
      expect(text).toContain(`node cli/image-dependencies.ts ${image} `);
      expect(text).toMatch(/npm ci --omit=dev --ignore-scripts/);
      const last = text.slice(text.lastIndexOf('\nFROM '));
      expect(last).toMatch(/^USER rill$/m);
      expect(last).toMatch(/^HEALTHCHECK /m);
      expect(last).toMatch(/^VOLUME \/var\/lib\/rill$/m);
    },
  );
});

/** Names of the packages that a module and what it imports ask for, sorted. */
async function packagesOf(entry: string, except: readonly string[]): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    packages: 'external',
    external: ['cloudflare:*', ...except.map((file) => `./${path.basename(file)}`)],
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  const names = imports.flatMap(({ path: name, external }) => (external === true ? [packageOf(name)] : []));
  return [...new Set(names)].filter((name) => name !== '' && !NOT_IN_IMAGES.has(name)).toSorted();
}

/** `@scope/name` or `name` of an import; empty for what is no package. */
function packageOf(specifier: string): string {
  return /^(?:@[^/]+\/)?[^./][^/:]*(?=\/|$)/.exec(specifier.startsWith('node:') ? '' : specifier)?.[0] ?? '';
}
