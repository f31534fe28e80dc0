import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPages } from './build-pages.ts';

/** What the player module may cost other people's pages, bytes gzipped. */
const MODULE_LIMIT = 6 * 1024;

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'rill-pages-'));
  await buildPages(directory);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

describe('the built pages', () => {
  it('has the player module under a name that stays, without imports and below 6 KB gzipped', async () => {
    const module = await readFile(path.join(directory, 'assets/rill-qoe.js'), 'utf8');
    expect(gzipSync(module).length).toBeLessThan(MODULE_LIMIT);
    expect(module).not.toMatch(/\bimport\b/);
    expect(module).toMatch(/export\s*\{\s*\w+ as attachQoe\s*\}/);
  });

  it('names every other file by its content, as its page names it', async () => {
    const pages = await Promise.all(
      ['watch.html', 'dashboard.html'].map((file) => readFile(path.join(directory, file), 'utf8')),
    );
    const page = pages.join('');
    const named = [...page.matchAll(/\/assets\/([^"]+)/g)].map((match) => match[1]);
    const files = await readdir(path.join(directory, 'assets'));
    expect(new Set([...named, 'rill-qoe.js'])).toEqual(new Set(files));
  });
});
