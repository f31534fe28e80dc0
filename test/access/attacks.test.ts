/** Attacks on who may watch, against a running edge: none gets at the stream, none breaks it, none makes it hang. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEdgeAlone, type EdgeAlone } from '../support/edge-alone.ts';
import { PARTS_PER_SEGMENT } from '../support/scripted-origin.ts';
import { sendRaw, type RawAnswer, type RawRequest } from './raw-request.ts';
import { requestAttacks } from './request-attacks.ts';
import { tokenAttacks } from './token-attacks.ts';

/** Longest answer to an attack, milliseconds: thousands of times what one takes. */
const SLOW_MS = 5000;
const PLAYLIST = '/live/show/index.m3u8';
/** Attacks of the table; fewer would mean that some were lost. */
const LEAST_ATTACKS = 60;

let edge: EdgeAlone;
let trap: Server;
let trapUrl = '';
/** What the trap was asked. */
const trapped: string[] = [];
const table: string[] = [];

beforeAll(async () => {
  edge = await startEdgeAlone({ cacheMib: 8, cf: { country: 'DE', regionCode: 'BY', asn: 64_500 } });
  for (let part = 0; part < 2 * PARTS_PER_SEGMENT; part++) {
    await edge.origin.publishPart(Uint8Array.of(part));
  }
  trap = createServer((request, response) => {
    trapped.push(request.url ?? '');
    response.end('{}');
  });
  await new Promise<void>((resolve) => {
    trap.listen(0, '127.0.0.1', resolve);
  });
  trapUrl = `http://127.0.0.1:${(trap.address() as AddressInfo).port}`;
});

afterAll(async () => {
  trap.close();
  await edge.stop();
  process.stdout.write(`\n| attack | status | ms |\n| --- | --- | --- |\n${table.join('\n')}\n`);
});

test('a right token opens the stream', async () => {
  expect(
    await ask('right token', { path: `/t/${await tokenFor({ stream: 'show' })}${PLAYLIST}` }),
  ).toMatchObject({
    status: 200,
    body: expect.stringContaining('#EXTM3U') as string,
  });
});

test('no token that is not right opens it', async () => {
  const attacks = tokenAttacks({ playSecret: edge.playSecret, now: now(), trap: trapUrl });
  for (const [name, make] of attacks) {
    const token = await make();
    expectRefused(name, await ask(name, { path: `/t/${token}${PLAYLIST}` }));
    expectRefused(`${name}, in the query`, await sendRaw(edge.url, { path: `${PLAYLIST}?token=${token}` }));
  }
  expect(attacks.length).toBeGreaterThan(LEAST_ATTACKS);
});

test('no request gets around its token', async () => {
  const tokens = {
    good: await tokenFor({ stream: 'show' }),
    other: await tokenFor({ stream: 'other' }),
    elsewhere: await tokenFor({ stream: 'show', country: ['FR'], prefix: ['203.0.113.0/24'] }),
    bad: (await tokenFor({ stream: 'show' })).replace(/\.[^.]*$/, '.AAAA'),
  };
  for (const [name, request] of requestAttacks(tokens)) {
    expectRefused(name, await ask(name, request));
  }
});

test('what one viewer got from the cache opens nothing for the next', async () => {
  const path = `/t/${await tokenFor({ stream: 'show' })}${PLAYLIST}`;
  expect((await ask('a right token fills the cache', { path })).status).toBe(200);
  expectRefused('cached, without a token', await ask('cached, without a token', { path: PLAYLIST }));
});

test('no header of one viewer comes back in the answer to another', async () => {
  const path = `/t/${await tokenFor({ stream: 'show' })}${PLAYLIST}`;
  const poison = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'gopher',
    'x-forwarded-port': '666',
    forwarded: 'host=evil.example',
    'x-host': 'evil.example',
    origin: 'https://evil.example',
  };
  for (const headers of [poison, {}]) {
    const answer = await ask(`Host and X-Forwarded-* ${headers === poison ? 'poisoned' : 'afterwards'}`, {
      path,
      headers,
    });
    expect(JSON.stringify(answer)).not.toMatch(/evil\.example|gopher|666/);
    expect(answer.status).toBe(200);
  }
});

test('the edge asked nobody whom a token named, and still answers', async () => {
  expect(trapped).toEqual([]);
  const path = `/t/${await tokenFor({ stream: 'show' })}${PLAYLIST}`;
  expect((await ask('right token, after all of that', { path })).status).toBe(200);
});

async function ask(name: string, request: RawRequest): Promise<RawAnswer> {
  const answer = await sendRaw(edge.url, request);
  table.push(`| ${name.replaceAll('|', '\\|')} | ${answer.status} | ${answer.milliseconds.toFixed(0)} |`);
  return answer;
}

function expectRefused(name: string, { status, headers, body, milliseconds }: RawAnswer): void {
  const isPreflight = status === 204 && body === '';
  expect(status >= 400 || isPreflight, `${name}: status ${status}`).toBe(true);
  expect(status, name).toBeLessThan(500);
  expect(body, name).not.toContain('#EXTM3U');
  expect(headers['set-cookie'], name).toBeUndefined();
  expect(milliseconds, name).toBeLessThan(SLOW_MS);
}

async function tokenFor(claims: Readonly<Record<string, unknown>>): Promise<string> {
  return new SignJWT({ exp: now() + 600, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(edge.playSecret));
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
