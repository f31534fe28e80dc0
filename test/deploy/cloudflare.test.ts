/** `npm run deploy` with the real wrangler against a Cloudflare account in memory. */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ACCOUNT, API_TOKEN, startCloudflareApi, type CloudflareApi } from '../support/cloudflare-api.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const WORKER = 'rill-edge-staging';
const BUCKET = 'rill-media-staging';
const uploadSchema = z.object({
  bindings: z.array(z.object({ name: z.string(), type: z.string(), bucket_name: z.string().optional() })),
  migrations: z.object({ new_tag: z.string(), steps: z.array(z.unknown()) }),
});

let api: CloudflareApi;
let stateDir: string;
const originFile = (): string => path.join(stateDir, 'staging/origin.env');

beforeAll(async () => {
  api = await startCloudflareApi();
  stateDir = await mkdtemp(path.join(tmpdir(), 'rill-deploy-'));
});

afterAll(async () => {
  await api?.close();
  await rm(stateDir, { recursive: true, force: true });
});

describe('npm run deploy', () => {
  test('says how to be let in where Cloudflare does not know the token', async () => {
    const { code, output } = await deploy(['--env', 'staging'], { CLOUDFLARE_API_TOKEN: 'another' });
    expect(code).toBe(1);
    expect(output).toContain('CLOUDFLARE_API_TOKEN to a token with the permissions');
    expect(api.account.buckets.size).toBe(0);
  });

  test('says which step failed, and keeps what was made', async () => {
    const step = `PUT /r2/buckets/${BUCKET}/lifecycle`;
    api.failing.set(step, { status: 400, code: 10_001 });
    const { code, output } = await deploy(['--env', 'staging']);
    api.failing.delete(step);
    expect([code, output]).toEqual([
      1,
      expect.stringContaining(`the lifecycle rules of ${BUCKET} were not set`),
    ]);
    expect([...api.account.buckets.keys()]).toEqual([BUCKET]);
    expect(api.account.workers.size).toBe(0);
  });

  test('goes on from there: Worker with its bindings, lifecycle rules, schedule, secrets', async () => {
    const { code, output } = await deploy(['--env', 'staging']);
    expect([code, output]).toEqual([0, expect.stringContaining('secrets    stored')]);
    expect(api.account.buckets.get(BUCKET)).toMatchObject({
      rules: [{ conditions: { prefix: 'live/' } }, {}],
    });
    const upload = uploadSchema.parse(api.account.workers.get(WORKER));
    expect(upload.bindings).toContainEqual({ name: 'MEDIA', type: 'r2_bucket', bucket_name: BUCKET });
    expect(upload.migrations.steps).toHaveLength(Number(upload.migrations.new_tag.slice(1)));
    expect(api.account.schedules.get(WORKER)).toEqual([{ cron: '* * * * *' }]);
    expect([...secrets().keys()]).toEqual(['RILL_PLAY_SECRET', 'RILL_SERVICE_TOKEN']);
  });

  test("writes the origin's environment where its owner alone reads it, and prints no secret", async () => {
    const text = await readFile(originFile(), 'utf8');
    expect((await stat(originFile())).mode & 0o777).toBe(0o600);
    expect(text).toContain('RILL_EDGE_URL=https://rill-edge-staging.rill-tests.workers.dev\n');
    expect(text).toContain(`RILL_S3_ENDPOINT=https://${ACCOUNT}.r2.cloudflarestorage.com\n`);
    expect(text).toContain(`RILL_SERVICE_TOKEN=${secrets().get('RILL_SERVICE_TOKEN')}\n`);
  });

  test('changes nothing when repeated: neither secrets nor the S3 keys that were written into the file', async () => {
    const before = new Map(secrets());
    const text = await readFile(originFile(), 'utf8');
    const filled = text.replace('RILL_S3_ACCESS_KEY_ID=', 'RILL_S3_ACCESS_KEY_ID=key-of-the-bucket');
    await writeFile(originFile(), filled);
    const calls = api.calls.length;
    const { code, output } = await deploy(['--env', 'staging']);
    expect([code, output]).toEqual([0, expect.stringContaining(`${BUCKET} is there`)]);
    expect(api.calls.slice(calls).filter((call) => call.includes('secrets-bulk'))).toEqual([]);
    expect(secrets()).toEqual(before);
    expect(await readFile(originFile(), 'utf8')).toBe(filled);
    for (const secret of before.values()) {
      expect(output).not.toContain(secret);
    }
  });

  test.each(['staging', 'production'])(
    'builds %s in a dry run without asking anybody',
    async (environment) => {
      const calls = api.calls.length;
      const { code, output } = await deploy(['--env', environment, '--dry-run'], {
        CLOUDFLARE_API_TOKEN: '',
      });
      expect([code, output]).toEqual([0, expect.stringContaining('Nothing was sent.')]);
      expect(api.calls.length).toBe(calls);
    },
  );
});

function secrets(): Map<string, string> {
  return api.account.secrets.get(WORKER) ?? new Map<string, string>();
}

async function deploy(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | string; readonly output: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['cli/deploy/main.ts', ...args, '--state-dir', stateDir],
      {
        cwd: ROOT,
        env: {
          ...process.env,
          CLOUDFLARE_API_BASE_URL: api.url,
          CLOUDFLARE_API_TOKEN: API_TOKEN,
          ...environment,
        },
      },
      (error, stdout, stderr) => resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
}
