/** What the self-hosted edge believes about a viewer's place, asked over its own socket. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdgeHost, type EdgeHost } from '../../edge-worker/host/edge-host.ts';

const PLAY_SECRET = 'a playback secret for tests that is long enough';
const ALLOWED = '203.0.113.9';
const ELSEWHERE = '198.51.100.7';
const quiet = (): void => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

let folder: string;
let plain: EdgeHost;
let proxied: EdgeHost;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rill-place-'));
  const secrets = {
    playSecret: PLAY_SECRET,
    serviceToken: 'service-token-for-tests',
    s3AccessKeyId: 'access-key-id',
    s3SecretAccessKey: 'secret-access-key',
  };
  const builtWorker = process.env['RILL_BUILT_WORKER'];
  const host = { host: '127.0.0.1', port: 0, secrets, log, builtWorker };
  const trustedHeaders = { address: 'X-Forwarded-For', hops: 1, country: 'X-Geo-Country' };
  plain = await startEdgeHost({ ...host, dataDir: join(folder, 'plain') });
  proxied = await startEdgeHost({ ...host, dataDir: join(folder, 'proxied'), trustedHeaders });
});

afterAll(async () => {
  await Promise.all([plain?.close(), proxied?.close()]);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** The answer to a token with such a claim: 404 where it holds, since the stream is not live, else 451. */
async function status(edge: EdgeHost, claim: object, headers: HeadersInit): Promise<number> {
  const token = await new SignJWT({ stream: 'show', ...claim })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1m')
    .sign(new TextEncoder().encode(PLAY_SECRET));
  return (await fetch(`${edge.url}/t/${token}/live/show/index.m3u8`, { headers })).status;
}

const NETWORK = { prefix: [`${ALLOWED}/32`] };
const COUNTRY = { country: ['DE'] };

describe('an edge without a proxy', () => {
  test.each([
    'CF-Connecting-IP',
    'X-Forwarded-For',
    'X-Real-IP',
    'True-Client-IP',
    'Forwarded',
    'X-Client-IP',
  ])('believes no viewer about an address in %s', async (name) => {
    const value = name === 'Forwarded' ? `for=${ALLOWED}` : ALLOWED;
    expect(await status(plain, NETWORK, { [name]: value })).toBe(451);
  });

  test.each(['CF-IPCountry', 'X-Geo-Country', 'MF-CF-Blob'])(
    'believes no viewer about a country in %s',
    async (name) => {
      const value = name === 'MF-CF-Blob' ? '{"country":"DE"}' : 'DE';
      expect(await status(plain, COUNTRY, { [name]: value })).toBe(451);
    },
  );
});

describe('an edge behind a proxy', () => {
  test.each([
    [404, ALLOWED],
    [404, `${ELSEWHERE}, ${ALLOWED}`],
    [404, `::ffff:${ALLOWED}`],
    [451, ELSEWHERE],
    [451, `${ALLOWED}, ${ELSEWHERE}`],
    [451, `${ALLOWED}, unknown`],
    [451, ''],
  ])('answers %d where the proxy says X-Forwarded-For: %s', async (expected, value) => {
    const headers = { 'X-Forwarded-For': value, 'CF-Connecting-IP': ALLOWED, 'X-Real-IP': ALLOWED };
    expect(await status(proxied, NETWORK, headers)).toBe(expected);
  });

  test.each([
    [404, 'DE'],
    [451, 'FR'],
    [451, 'XX'],
    [451, 'DE, FR'],
    [451, 'Germany'],
  ])('answers %d where the proxy says the country is %s', async (expected, value) => {
    expect(await status(proxied, COUNTRY, { 'X-Geo-Country': value, 'CF-IPCountry': 'DE' })).toBe(expected);
  });
});
