import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { hashPublishKey, publishKey } from '../origin/ingest/access/publish-keys.ts';
import { parseStreamName } from '#shared/identifiers.ts';
import { claimDataDir } from './instance.ts';
import { createRillProgram } from './rill-program.ts';
import { runCommand } from './run-command.ts';
import { ensureSecrets } from './secrets.ts';

/** Nothing listens on this port of the loopback interface: it is the discard service's. */
const DEAD_PORT = 9;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let dataDir: string;
let key: string;

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'rill-command-'));
  const { secrets } = await ensureSecrets(dataDir);
  const stream = parseStreamName('cam1');
  key = stream.ok ? publishKey(secrets.publishSecret, stream.value) : '';
  const ports = { edge: 18_080, rtmp: 11_935, srt: 19_000, control: DEAD_PORT };
  await claimDataDir(dataDir, { host: '127.0.0.1', ports, pid: process.pid });
});

afterAll(async () => {
  await rm(dataDir, { recursive: true });
});

test('prints a play URL of the instance in the data folder, and nothing else', async () => {
  const { code, stdout, stderr } = await rill('play-url', 'cam1');
  expect(stdout).toMatch(
    /^http:\/\/127\.0\.0\.1:18080\/t\/[\w-]+\.[\w-]+\.[\w-]+\/live\/cam1\/index\.m3u8\n$/,
  );
  expect([code, stderr]).toEqual([0, '']);
});

test('prints the watch page with the port that a flag gives', async () => {
  const { stdout } = await rill('play-url', 'cam1', '--watch', '--edge-port', '8443');
  expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:8443\/watch\/cam1\?token=\S+\n$/);
});

test('prints publish URLs with the stream key', async () => {
  const rtmp = await rill('publish-url', 'cam1');
  const srt = await rill('publish-url', 'cam1', '--srt');
  expect(rtmp.stdout).toBe(`rtmp://127.0.0.1:11935/live/cam1?key=${key}\n`);
  expect(srt.stdout).toBe(`srt://127.0.0.1:19000?streamid=#!::r=live/cam1,m=publish,key=${key}\n`);
});

test('prints a new publish key and its hash, different each time', async () => {
  const { code, stdout } = await rill('publish-key', 'cam1');
  const lines = stdout.trim().split('\n');
  const [own = '', hash = ''] = lines.map((line) => line.split(' ').at(-1));
  expect([code, lines.length, hashPublishKey(own)]).toEqual([0, 2, hash]);
  expect((await rill('publish-key', 'cam1')).stdout).not.toBe(stdout);
});

test('prints a token with the claims that were asked for', async () => {
  const flags = ['--ttl', '5m', '--viewer', 'v', '--country', 'de,FR', '--max-height', '480'];
  const { stdout } = await rill('token', '--stream', 'cam1', ...flags);
  const { iat = 0, exp = 0, ...claims } = decodeJwt(stdout.trim());
  expect(exp - iat).toBe(300);
  expect(claims).toEqual({ stream: 'cam1', sub: 'v', country: ['DE', 'FR'], maxHeight: 480 });
});

test('prints a token for administration, which needs no stream', async () => {
  const { stdout } = await rill('token', '--scope', 'admin', '--ttl', '1h', '--id', 't1');
  const { iat: _iat, exp: _exp, nbf: _nbf, ...claims } = decodeJwt(stdout.trim());
  expect(claims).toEqual({ scope: 'admin', jti: 't1' });
});

test('prints the schema of policies that docs/policies.schema.json publishes', async () => {
  const published = new URL('../docs/policies.schema.json', import.meta.url);
  // Without --data-dir: the schema is of no instance.
  const { stdout } = await rill('policy', 'schema');
  expect(JSON.parse(stdout)).toEqual(JSON.parse(await readFile(published, 'utf8')));
});

test('fails with the remedy when no edge answers', async () => {
  const { code, stderr } = await rill('policy', 'show', '--edge-port', String(DEAD_PORT));
  expect([code, stderr]).toEqual([
    1,
    `rill: no edge at http://127.0.0.1:${DEAD_PORT}: start the instance with "npm start", or name another with --edge-port or --edge\n`,
  ]);
});

test.each<readonly string[]>([
  [],
  ['unknown'],
  ['play-url'],
  ['play-url', 'Not A Name'],
  ['play-url', 'cam1', 'cam2'],
  ['publish-url', 'cam1', '--rtmp', '--srt'],
  ['token'],
  ['token', '--stream', 'cam1', '--ttl', 'soon'],
  ['token', '--stream', 'cam1', '--country', 'Germany'],
  ['token', '--stream', 'cam1', '--max-height', '0'],
  ['token', '--stream', 'cam1', '--scope', 'root'],
  ['token', '--scope', 'admin', 'play'],
  ['streams', '--edge-port', '70000'],
  ['policy'],
  ['policy', 'apply'],
  ['revoke', 'stream', 'cam1'],
  ['revoke', 'viewer'],
  ['keys', 'remove'],
])('answers wrong usage with exit code 2 and no result: %j', async (...args) => {
  const { code, stdout, stderr } = await rill(...args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).not.toBe('');
});

test('fails with exit code 1 and the remedy when no instance was ever started', async () => {
  const { code, stdout, stderr } = await rill('play-url', 'cam1', '--data-dir', path.join(dataDir, 'none'));
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^rill: no instance in .*: start one with "npm start"/);
});

test('fails with exit code 1 when the control API is not reached', async () => {
  const { code, stdout, stderr } = await rill('streams');
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain(`no control API at http://127.0.0.1:${DEAD_PORT}`);
});

test('is a program whose exit code and streams a script can rely on', async () => {
  const run = (...args: readonly string[]): Promise<number> =>
    new Promise((resolve) => {
      execFile(process.execPath, [path.join(import.meta.dirname, 'rill.ts'), ...args], (error) => {
        resolve(typeof error?.code === 'number' ? error.code : 0);
      });
    });
  expect(await run('play-url', 'cam1', '--data-dir', path.join(dataDir, 'none'))).toBe(1);
});

async function rill(...args: readonly string[]): Promise<Outcome> {
  const folder =
    args.includes('--data-dir') || args.includes('schema') || args.length === 0
      ? []
      : ['--data-dir', dataDir];
  const stdout: string[] = [];
  const stderr: string[] = [];
  const spies = [spyOnWrites(process.stdout, stdout), spyOnWrites(process.stderr, stderr)];
  try {
    const code = await runCommand(createRillProgram(), [...args, ...folder]);
    return { code, stdout: stdout.join(''), stderr: stderr.join('') };
  } finally {
    for (const spy of spies) {
      spy.mockRestore();
    }
  }
}

function spyOnWrites(stream: NodeJS.WriteStream, into: string[]): { readonly mockRestore: () => void } {
  return vi.spyOn(stream, 'write').mockImplementation((chunk) => {
    into.push(String(chunk));
    return true;
  });
}
