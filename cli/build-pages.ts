/** Builds the edge's pages into `.build/pages`: scripts bundled, files named by their content, no foreign host. */

import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';

const ROOT = path.resolve(import.meta.dirname, '..');
const SOURCE = 'edge-worker/pages';
/** Entry points that the pages name as `{{file}}`. */
const ENTRIES = ['watch.ts', 'watch.css'];
const PAGES = ['watch.html'];
/** Modules for other people's pages, under names that stay: `/assets/rill-qoe.js`. */
const MODULES = ['qoe/rill-qoe.ts'];

/**
 * Builds all pages; `directory` defaults to `.build/pages`, which `wrangler.toml` names. Existing files are replaced
 * one by one, so that an edge that is running meanwhile never misses one.
 */
export async function buildPages(directory = path.join(ROOT, '.build/pages')): Promise<void> {
  const assets = path.join(directory, 'assets');
  const names = await bundle(ENTRIES, '[name]-[hash]', assets);
  const modules = await bundle(MODULES, '[name]', assets);
  for (const page of PAGES) {
    const text = await readFile(path.join(ROOT, SOURCE, page), 'utf8');
    await replaceFile(path.join(directory, page), fillIn(text, names));
  }
  await removeOthers(assets, new Set([...names.values(), ...modules.values()]));
}

/** Builds entry points and gives the built file's name of each. */
async function bundle(
  entries: readonly string[],
  entryNames: string,
  outdir: string,
): Promise<ReadonlyMap<string, string>> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: entries.map((entry) => path.join(SOURCE, entry)),
    entryNames,
    outdir,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    metafile: true,
    logLevel: 'error',
  });
  return assetNames(metafile);
}

/** The built file's name of each entry point. */
function assetNames(metafile: Metafile): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [output, { entryPoint }] of Object.entries(metafile.outputs)) {
    if (entryPoint !== undefined) {
      names.set(path.basename(entryPoint), path.basename(output));
    }
  }
  return names;
}

function fillIn(page: string, names: ReadonlyMap<string, string>): string {
  return page.replaceAll(/\{\{([^}]+)\}\}/g, (_, entry: string) => {
    const name = names.get(entry);
    if (name === undefined) {
      throw new Error(`a page names {{${entry}}}, which is none of the entry points ${ENTRIES.join(', ')}`);
    }
    return `/assets/${name}`;
  });
}

async function replaceFile(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const beside = `${file}.${process.pid}`;
  await writeFile(beside, text);
  await rename(beside, file);
}

/** Removes the files of earlier builds. */
async function removeOthers(directory: string, keep: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!keep.has(name)) {
      await rm(path.join(directory, name), { force: true });
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildPages();
}
