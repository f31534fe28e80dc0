/** Attacks on keys, sessions and tokens for one use, against a running edge whose registry has key sets. */

import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeKey, signCat, signJwt, type IssuerKey } from '../../edge-worker/access/verify/testing/issuer.ts';
import { startEdgeAlone, type EdgeAlone } from '../support/edge-alone.ts';
import { PARTS_PER_SEGMENT } from '../support/scripted-origin.ts';
import { sendRaw } from './raw-request.ts';

/** An isolate follows the registry within 2 s; this is generous on a busy machine. */
const FOLLOW_MS = 10_000;
const PLAYLIST = '/live/show/index.m3u8';
const EXPIRES = Math.floor(Date.now() / 1000) + 600;

let edge: EdgeAlone;
let host: Server;
let hostUrl = '';
let key: IssuerKey;
/** What the host of key sets was asked. */
const asked: string[] = [];

beforeAll(async () => {
  key = await makeKey('ES256', 'k1');
  edge = await startEdgeAlone({ cacheMib: 8 });
  for (let part = 0; part < 2 * PARTS_PER_SEGMENT; part++) {
    await edge.origin.publishPart(Uint8Array.of(part));
  }
  host = createServer((request, response) => {
    asked.push(request.url ?? '');
    answerKeySet(request.url ?? '', response);
  });
  await new Promise<void>((resolve) => {
    host.listen(0, '127.0.0.1', resolve);
  });
  hostUrl = `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
  for (const name of ['good', 'million', 'hanging', 'redirecting']) {
    await administer({ kind: 'jwks-url', url: `${hostUrl}/${name}`, algorithms: ['ES256'], issuer: name });
  }
  await administer({ kind: 'jwk', keyId: 'own', algorithm: 'ES256', jwk: key.source.jwk });
});

afterAll(async () => {
  host.closeAllConnections();
  host.close();
  await edge.stop();
});

/** The set of each name; that of a million keys has the right one first. */
function answerKeySet(path: string, response: ServerResponse): void {
  const right = JSON.stringify({ kid: 'k1', ...key.source.jwk });
  switch (path) {
    case '/good':
      response.end(`{"keys":[${right}]}`);
      break;
    case '/million':
      response.write('{"keys":[');
      sendMillion(response, `${right},`.repeat(1000), 1000);
      break;
    case '/redirecting':
      response.writeHead(302, { location: '/good' }).end();
      break;
    default:
  }
}

function sendMillion(response: ServerResponse, chunk: string, left: number): void {
  if (left === 0 || response.destroyed) {
    response.end(']}');
  } else {
    response.write(chunk, () => {
      sendMillion(response, chunk, left - 1);
    });
  }
}

describe('a key set', () => {
  test('that is good verifies what its issuer signs', async () => {
    const token = await jwt({ iss: 'good' });
    await expect.poll(() => statusOf(token), { timeout: FOLLOW_MS }).toBe(200);
  });

  test.each(['million', 'hanging', 'redirecting'])(
    'that is %s verifies nothing, and holds nobody up for long',
    async (issuer) => {
      const began = performance.now();
      expect(await statusOf(await jwt({ iss: issuer }))).toBe(401);
      expect(performance.now() - began).toBeLessThan(6000);
      // Others play on meanwhile.
      expect(await statusOf(await jwt({ iss: 'good', jti: issuer }))).toBe(200);
    },
  );

  test('is not asked again for each kid that somebody makes up', async () => {
    const before = asked.length;
    const guesses = Array.from({ length: 60 }, async (_, index) =>
      statusOf(await signJwt(key, { iss: 'good', exp: EXPIRES }, { kid: `guess-${index}` })),
    );
    expect(new Set(await Promise.all(guesses))).toEqual(new Set([401]));
    expect(asked.length - before).toBeLessThanOrEqual(1);
  });

  test('does not vouch for another issuer', async () => {
    expect(await statusOf(await jwt({ iss: 'somebody' }))).toBe(401);
    expect(await statusOf(await jwt({}))).toBe(401);
  });
});

describe('a configured key', () => {
  test('is not a secret for HS256', async () => {
    const publicText = new TextEncoder().encode(JSON.stringify(key.source.jwk));
    const confused: IssuerKey = { ...key, algorithm: 'HS256', signing: publicText };
    expect(await statusOf(await signJwt(key, { exp: EXPIRES }, { kid: 'own' }))).toBe(200);
    expect(await statusOf(await signJwt(confused, { exp: EXPIRES }, { kid: 'own' }))).toBe(401);
  });

  test('verifies Common Access Tokens as well, those for one use once', async () => {
    const claims = new Map<number, unknown>([
      [4, EXPIRES],
      [7, Uint8Array.of(7, 7)],
    ]);
    const often = await signCat({ ...key, keyId: 'own' }, claims);
    const once = await signCat(
      { ...key, keyId: 'own' },
      new Map([...claims, [308, 1], [7, Uint8Array.of(8)]]),
    );
    expect([await statusOf(often), await statusOf(often)]).toEqual([200, 200]);
    expect([await statusOf(once), await statusOf(once)]).toEqual([200, 403]);
  });
});

test('a session’s token opens nothing when it is changed, nor another stream, nor the administration', async () => {
  const token = await jwt({ iss: 'good', sub: 'v', sessions: 1 });
  const playlist = await sendRaw(edge.url, { path: `${PLAYLIST}?token=${token}` });
  const session = decodeURIComponent(/token=([^"\s&]+)/.exec(playlist.body)?.[1] ?? '');
  const media = (shown: string): Promise<number> =>
    sendRaw(edge.url, { path: `/live/show/360p/index.m3u8?token=${shown}` }).then(({ status }) => status);
  expect(session).not.toBe('');
  expect(session).not.toBe(token);
  expect(await media(session)).toBe(200);
  const middle = Math.floor(session.length / 2);
  const other = session[middle] === 'A' ? 'B' : 'A';
  expect(await media(session.slice(0, middle) + other + session.slice(middle + 1))).toBe(401);
  expect(await media(session.slice(0, -3))).toBe(401);
  const elsewhere = await sendRaw(edge.url, { path: `/live/other/index.m3u8?token=${session}` });
  expect(elsewhere.status).toBe(403);
  const headers = { authorization: `Bearer ${session}` };
  const admin = await sendRaw(edge.url, { path: '/v1/admin/policies', headers });
  expect([401, 403]).toContain(admin.status);
});

async function jwt(claims: Readonly<Record<string, unknown>>): Promise<string> {
  return signJwt(key, { exp: EXPIRES, ...claims });
}

async function statusOf(token: string): Promise<number> {
  return (await sendRaw(edge.url, { path: `/t/${token}${PLAYLIST}` })).status;
}

async function administer(source: object): Promise<void> {
  const answer = await fetch(`${edge.url}/v1/admin/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await edge.sign({ scope: 'admin', sub: 'operator' })}` },
    body: JSON.stringify(source),
  });
  expect({ status: answer.status, text: await answer.text() }).toMatchObject({ status: 200 });
}
