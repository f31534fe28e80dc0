/** Policies and revocations through a running edge, with a viewer who plays on while they change. */

import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEdgeAlone, type EdgeAlone } from '../support/edge-alone.ts';

const PART_BYTES = 10_000;
/** Within what a change has to be in force at every edge. */
const EFFECTIVE_MS = 10_000;
const POLL_MS = 200;

const MUNICH = { country: 'DE', continent: 'EU', regionCode: 'BY', asn: 3320 };
const PARIS = { country: 'FR', continent: 'EU', regionCode: 'IDF', asn: 3215 };

let edge: EdgeAlone;
let multivariant: string;
let playlist: string;

beforeAll(async () => {
  edge = await startEdgeAlone({ cacheMib: 64 });
  for (let part = 0; part < 8; part += 1) {
    await edge.origin.publishPart(new Uint8Array(PART_BYTES));
  }
  const token = await edge.sign({ sub: 'alice', iat: Math.floor(Date.now() / 1000) - 1 });
  multivariant = `${edge.url}/t/${token}/live/show/index.m3u8`;
  const variant = (await (await ask(multivariant, MUNICH)).text())
    .split('\n')
    .find((line) => line !== '' && !line.startsWith('#'));
  playlist = new URL(variant ?? '', multivariant).href;
});

afterAll(async () => {
  await edge?.stop();
});

function ask(url: string, place: object): Promise<Response> {
  return fetch(url, { headers: { 'x-test-place': JSON.stringify(place) } });
}

async function statusFrom(place: object, url = playlist): Promise<number> {
  const answer = await ask(url, place);
  await answer.arrayBuffer();
  return answer.status;
}

async function administer(method: string, path: string, body?: object): Promise<void> {
  const token = await edge.sign({ scope: 'admin' });
  const answer = await fetch(`${edge.url}/v1/admin${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect({ status: answer.status, text: await answer.text() }).toMatchObject({ status: 200 });
}

/** Asks as a player does until the status is another; says how long that took, milliseconds. */
async function changed(place: object, to: number): Promise<number> {
  const began = Date.now();
  while ((await statusFrom(place)) !== to) {
    expect(Date.now() - began).toBeLessThan(EFFECTIVE_MS);
    await wait(POLL_MS);
  }
  return Date.now() - began;
}

test('a viewer who moves to a blocked country is cut at the next request, and plays again at home', async () => {
  await administer('PUT', '/policies/streams/show', {
    access: 'token',
    rules: [{ id: 'licence', effect: 'allow', match: { countries: ['DE', 'AT'] } }],
  });
  await changed(PARIS, 451);
  const home = await Promise.all([statusFrom(MUNICH), statusFrom(MUNICH, multivariant)]);
  const away = await Promise.all([statusFrom(PARIS), statusFrom(PARIS, multivariant), statusFrom({})]);
  expect([home, away, await statusFrom(MUNICH)]).toEqual([[200, 200], [451, 451, 451], 200]);
  const refusal = await ask(playlist, PARIS);
  expect(await refusal.json()).toEqual({ error: 'unavailable-in-your-region' });
});

test('a blackout begins and ends by the clock, without another change', async () => {
  const now = Math.floor(Date.now() / 1000);
  const window = { from: now + 4, until: now + 7 };
  await administer('PUT', '/policies/streams/show', {
    access: 'token',
    rules: [{ id: 'blackout', effect: 'deny', match: { regions: ['DE-BY'] }, ...window }],
  });
  await changed(PARIS, 200);
  await changed(MUNICH, 451);
  expect(await statusFrom(PARIS)).toBe(200);
  await changed(MUNICH, 200);
  expect(Date.now() / 1000).toBeGreaterThanOrEqual(window.until);
});

test('a limit by country leaves out what is higher, be it asked for by its name', async () => {
  await administer('PUT', '/policies/streams/show', {
    access: 'token',
    rules: [{ id: 'small', effect: 'limit', maxHeight: 1, match: { countries: ['FR'] } }],
  });
  await changed(PARIS, 403);
  expect([await statusFrom(PARIS, multivariant), await statusFrom(MUNICH, multivariant)]).toEqual([403, 200]);
  expect(await statusFrom(MUNICH)).toBe(200);
});

test('a change of policy and a revoked viewer are in force within ten seconds', async () => {
  await administer('PUT', '/policies', { default: { access: 'token', rules: [] }, streams: {} });
  await changed(PARIS, 200);
  await administer('PUT', '/policies/default', {
    access: 'token',
    rules: [{ id: 'nobody', effect: 'deny', match: {} }],
  });
  const denied = await changed(MUNICH, 451);
  await administer('PUT', '/policies/default', { access: 'token', rules: [] });
  await changed(MUNICH, 200);
  await administer('POST', '/revocations', { kind: 'viewer', id: 'alice' });
  const revoked = await changed(MUNICH, 401);
  expect(Math.max(denied, revoked)).toBeLessThan(EFFECTIVE_MS);
});
