import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unstable_readConfig as readConfig } from 'wrangler';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandError } from '../terminal.ts';
import { addressOf, ensureBucket, secretsOf } from './cloudflare.ts';
import { ensureWorkerSecrets } from './deploy-command.ts';
import { readEnvironmentFile, renderOriginEnvironment, writePrivateFile } from './origin-environment.ts';
import { findAccount } from './prerequisites.ts';
import { ENVIRONMENTS, readTarget } from './target.ts';
import type { Wrangler, WranglerAnswer } from './wrangler.ts';

const CONFIG = path.resolve(import.meta.dirname, '../../wrangler.toml');
const TARGET = { environment: 'staging', worker: 'rill-edge-staging', bucket: 'rill-media-staging' } as const;
const ACCOUNTS = [
  { id: 'a'.repeat(32), name: 'first' },
  { id: 'b'.repeat(32), name: 'second' },
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'rill-deploy-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the environments of wrangler.toml', () => {
  it.each(ENVIRONMENTS)('%s has every binding of the local run', (environment) => {
    const local = bindings(undefined);
    expect(bindings(environment)).toEqual(local);
  });

  it('share neither Worker nor bucket nor data set', () => {
    const [staging, production] = ENVIRONMENTS.map((environment) => readTarget(CONFIG, environment));
    expect(production).toEqual({ environment: 'production', worker: 'rill-edge', bucket: 'rill-media' });
    expect(staging).toEqual(TARGET);
    const config = readConfig({ config: CONFIG, env: 'staging' });
    expect(config.analytics_engine_datasets).toEqual([
      { binding: 'QOS', dataset: config.vars['RILL_ANALYTICS_DATASET'] },
    ]);
  });
});

describe('the account', () => {
  const whoami = (accounts: unknown): Wrangler =>
    answering({ stdout: JSON.stringify({ loggedIn: true, accounts }) });

  it('is the only one, or the one that is named', async () => {
    expect(await findAccount(whoami(ACCOUNTS.slice(0, 1)), undefined)).toBe('a'.repeat(32));
    expect(await findAccount(whoami(ACCOUNTS), 'b'.repeat(32))).toBe('b'.repeat(32));
  });

  it.each([
    [ACCOUNTS, undefined, /CLOUDFLARE_ACCOUNT_ID to one of/],
    [[], undefined, /reach no account/],
    [ACCOUNTS, 'c'.repeat(32), /do not reach the account/],
    [ACCOUNTS, 'my-account', /no account id/],
  ])('is asked for where it is not clear', async (accounts, named, message) => {
    await expect(findAccount(whoami(accounts), named)).rejects.toThrow(message);
  });

  it('needs credentials', async () => {
    const out = answering({ ok: false, stdout: '{"loggedIn":false}' });
    await expect(findAccount(out, undefined)).rejects.toThrow(/wrangler login/);
  });

  it('needs R2', async () => {
    const out = answering({
      ok: false,
      stderr: 'Please enable R2 through the Cloudflare Dashboard. [code: 10042]',
    });
    await expect(ensureBucket(out, TARGET)).rejects.toThrow(/enable it in the dashboard/);
  });
});

describe("the Worker's secrets", () => {
  it('are made where there is no Worker yet, and stored again when storing them failed', async () => {
    const state = path.join(folder, 'new');
    const out = worker([]);
    out.failing = true;
    await expect(ensureWorkerSecrets(out.run, TARGET, state)).rejects.toThrow(CommandError);
    out.failing = false;
    const secrets = await ensureWorkerSecrets(out.run, TARGET, state);
    expect(out.stored).toEqual({
      RILL_PLAY_SECRET: secrets?.playSecret,
      RILL_SERVICE_TOKEN: secrets?.serviceToken,
    });
    expect((await stat(path.join(state, 'secrets.json'))).mode & 0o777).toBe(0o600);
  });

  it('are left alone where another machine made them', async () => {
    const out = worker(['RILL_PLAY_SECRET', 'RILL_SERVICE_TOKEN']);
    expect(await ensureWorkerSecrets(out.run, TARGET, path.join(folder, 'other'))).toBeUndefined();
    expect(out.stored).toBeUndefined();
  });

  it('are not half replaced', async () => {
    const out = worker(['RILL_PLAY_SECRET']);
    await expect(ensureWorkerSecrets(out.run, TARGET, path.join(folder, 'half'))).rejects.toThrow(/not both/);
  });

  it('are none where the Worker is not found, and a failure where they cannot be listed', async () => {
    expect(await secretsOf(answering({ ok: false, stderr: 'Worker "x" not found.' }), TARGET)).toEqual([]);
    await expect(secretsOf(answering({ ok: false, stderr: 'fetch failed' }), TARGET)).rejects.toThrow(
      /not be listed/,
    );
  });
});

describe("the origin's environment", () => {
  const origin = {
    edgeUrl: 'https://live.example.org',
    account: 'a'.repeat(32),
    bucket: 'rill-media',
    secrets: { serviceToken: 's', controlToken: 'c', publishSecret: 'p' },
  };

  it('names the S3 keys that are missing', () => {
    const { missing } = renderOriginEnvironment({ ...origin, known: { RILL_S3_ACCESS_KEY_ID: 'id' } });
    expect(missing).toEqual(['RILL_S3_SECRET_ACCESS_KEY']);
  });

  it('comes back as it was written, for its owner alone even where others could read it', async () => {
    const file = path.join(folder, 'origin.env');
    await writeFile(file, 'x', { mode: 0o644 });
    const { text } = renderOriginEnvironment({ ...origin, known: { RILL_S3_SECRET_ACCESS_KEY: 'a=b' } });
    await writePrivateFile(file, text);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toBe(text);
    expect(await readEnvironmentFile(file)).toMatchObject({
      RILL_S3_SECRET_ACCESS_KEY: 'a=b',
      RILL_S3_REGION: 'auto',
    });
  });
});

it.each([
  [undefined, ['https://rill-edge.example.workers.dev'], 'https://rill-edge.example.workers.dev'],
  ['live.example.org', ['https://rill-edge.example.workers.dev'], 'https://live.example.org'],
  [undefined, ['live.example.org (custom domain)', 'https://a.workers.dev'], 'https://live.example.org'],
])("the edge's address is its own domain, else that under workers.dev", (domain, targets, address) => {
  const record = `{"type":"wrangler-session"}\n${JSON.stringify({ type: 'deploy', targets })}\n`;
  expect(addressOf(record, domain)).toBe(address);
  expect(() => addressOf('', undefined)).toThrow(/no address/);
});

/** Names and classes of the bindings, without what an environment has of its own. */
function bindings(environment: string | undefined): unknown {
  const config = readConfig({ config: CONFIG, ...(environment === undefined ? {} : { env: environment }) });
  return {
    objects: config.durable_objects.bindings,
    buckets: config.r2_buckets.map((one: { readonly binding: string }) => one.binding),
    datasets: config.analytics_engine_datasets.map((one: { readonly binding: string }) => one.binding),
    migrations: config.migrations,
    exports: config.exports,
    cache: config.cache,
    triggers: config.triggers,
    assets: config.assets,
  };
}

function answering(answer: Partial<WranglerAnswer>): Wrangler {
  return () => Promise.resolve({ ok: true, stdout: '', stderr: '', ...answer });
}

/** A Worker with secrets that takes more. */
function worker(names: readonly string[]): { run: Wrangler; failing: boolean; stored: unknown } {
  const it: ReturnType<typeof worker> = {
    failing: false,
    stored: undefined,
    run: ([, command], input = '') => {
      if (it.failing && command === 'bulk') {
        return Promise.resolve({ ok: false, stdout: '', stderr: 'away' });
      }
      it.stored = command === 'bulk' ? JSON.parse(input) : it.stored;
      return Promise.resolve({
        ok: true,
        stdout: JSON.stringify(names.map((name) => ({ name }))),
        stderr: '',
      });
    },
  };
  return it;
}
