/** `rill policy`, `rill revoke` and `rill keys` against a running edge. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createRillProgram } from '../../cli/rill-program.ts';
import { runCommand } from '../../cli/run-command.ts';
import { startEdgeAlone, type EdgeAlone } from '../support/edge-alone.ts';

const POLICIES = {
  $schema: './policies.schema.json',
  default: { access: 'token', rules: [] },
  streams: {
    show: {
      access: 'token',
      rules: [
        { id: 'licence', effect: 'allow', match: { countries: ['DE', 'AT'] } },
        { id: 'small-screens', effect: 'limit', maxHeight: 720, match: { countries: ['AT'] } },
        {
          id: 'blackout',
          effect: 'deny',
          match: {},
          from: '2030-01-01T00:00:00Z',
          until: '2030-01-02T00:00:00Z',
        },
      ],
    },
  },
};

let edge: EdgeAlone;
let folder: string;
let file: string;

beforeAll(async () => {
  edge = await startEdgeAlone({ cacheMib: 8 });
  folder = await mkdtemp(path.join(tmpdir(), 'rill-policy-'));
  file = path.join(folder, 'policies.json');
  await writeFile(file, JSON.stringify(POLICIES));
  vi.stubEnv('RILL_ADMIN_TOKEN', await edge.sign({ scope: 'admin', sub: 'ops' }));
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await edge?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function rill(...args: readonly string[]): Promise<string> {
  const { code, out } = await run([...args, '--edge', edge.url]);
  expect({ code, out }).toMatchObject({ code: 0 });
  return out;
}

async function run(args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  const written: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      written.push(String(chunk));
      return true;
    }),
  );
  try {
    return { code: await runCommand(createRillProgram(), args), out: written.join('') };
  } finally {
    for (const spy of spies) {
      spy.mockRestore();
    }
  }
}

test('a file is diffed, applied, shown, tested and applied again without a change', async () => {
  expect(await rill('policy', 'diff', file)).toContain('+ streams.show licence: allow');
  expect(await rill('policy', 'apply', file)).toContain('within ten seconds');
  expect(await rill('policy', 'diff', file)).toBe('nothing differs\n');
  expect(JSON.parse(await rill('policy', 'show'))).toMatchObject({ streams: { show: { access: 'token' } } });
  expect(await rill('policy', 'test', 'show', '--country', 'DE')).toBe('allowed\n');
  expect(await rill('policy', 'test', 'show', '--country', 'AT')).toBe('allowed up to 720 lines\n');
  expect(await rill('policy', 'test', 'show', '--country', 'FR')).toBe('denied by (no allow rule)\n');
  const at = ['--at', '2030-01-01T12:00:00Z'];
  expect(await rill('policy', 'test', 'show', '--country', 'DE', ...at)).toBe('denied by blackout\n');
});

test('a file with a mistake is refused before anything changes, and the mistake named', async () => {
  const wrong = path.join(folder, 'wrong.json');
  await writeFile(
    wrong,
    JSON.stringify({ ...POLICIES, streams: { show: { access: 'everybody', rules: [] } } }),
  );
  const { code, out } = await run(['policy', 'apply', wrong, '--edge', edge.url]);
  expect(code).toBe(1);
  expect(out).toContain('streams.show.access');
});

test('a viewer is revoked and taken back, a key added, listed and removed', async () => {
  expect(await rill('revoke', 'viewer', 'eve/1', '--for', '7d')).toContain('is in force');
  expect(await rill('revoke', 'viewer', 'eve/1', '--undo')).toContain('is in force');
  const key = path.join(folder, 'key.json');
  const k = Buffer.alloc(32, 'k').toString('base64url');
  await writeFile(
    key,
    JSON.stringify({ kind: 'jwk', keyId: 'a/1', algorithm: 'HS256', jwk: { kty: 'oct', k } }),
  );
  expect(await rill('keys', 'add', key)).toBe('added\n');
  expect(await rill('keys', 'list')).toBe('a/1\tjwk\tHS256\n');
  expect(await rill('keys', 'remove', 'a/1')).toBe('removed\n');
  expect(await rill('keys', 'list')).toBe('no key beside RILL_PLAY_SECRET\n');
});

test('a token that is no administrator changes nothing', async () => {
  vi.stubEnv('RILL_ADMIN_TOKEN', await edge.sign({ sub: 'eve' }));
  const { code, out } = await run(['policy', 'apply', file, '--edge', edge.url]);
  expect(code).toBe(1);
  expect(out).toContain(`rill: the edge at ${edge.url} answered 403 forbidden`);
});
