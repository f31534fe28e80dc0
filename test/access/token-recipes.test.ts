/** The recipes of docs/access.md, run as they stand wherever their interpreter is installed. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { readGrant } from '../../shared/access/claims.ts';

const SECRET = 'a-play-secret-of-at-least-32-bytes';
const RECIPES = [
  { language: 'sh', command: 'sh', file: 'recipe.sh' },
  { language: 'js', command: process.execPath, file: 'recipe.mjs' },
  { language: 'python', command: 'python3', file: 'recipe.py' },
  { language: 'go', command: 'go', file: 'recipe.go' },
  { language: 'php', command: 'php', file: 'recipe.php' },
];
const installed = RECIPES.filter(({ command }) => spawnSync('which', [command]).status === 0);

test.each(installed)('the recipe in $language makes a token', async ({ language, command, file }) => {
  const page = await readFile('docs/access.md', 'utf8');
  const code = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(page)?.[1] ?? '';
  const folder = await mkdtemp(join(tmpdir(), 'rill-recipe-'));
  try {
    await writeFile(join(folder, file), code);
    const args = command === 'go' ? ['run', file] : [file];
    const env = { ...process.env, RILL_PLAY_SECRET: SECRET };
    const token = execFileSync(command, args, { cwd: folder, env }).toString().trim();
    const key = new TextEncoder().encode(SECRET);
    const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'] });
    const grant = readGrant(payload);
    expect(grant).toMatchObject({ ok: true, value: { streams: ['news'], viewer: 'anna', scopes: ['play'] } });
    expect(grant.ok && grant.value.expires - Date.now() / 1000).toBeGreaterThan(270);
  } finally {
    await rm(folder, { recursive: true });
  }
});
