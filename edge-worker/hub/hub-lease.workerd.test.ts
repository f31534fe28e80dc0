import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { LEASE_HEADER, ORIGIN_HEADER } from '#shared/wire/lease.ts';
import { encodePublishFrames } from '#shared/wire/publish.ts';
import { HubLease } from './hub-lease.ts';
import { HubStorage } from './hub-storage.ts';
import { begin, framesOf, init, part, type Unnumbered } from './window-fixture.ts';

const A = 'origin-a';
const B = 'origin-b';
const LEASE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** A stream's hub, asked as an origin asks it. */
function hubOf(stream: string) {
  const hub = env.HUB.getByName(stream);
  const post = async (path: string, body: BodyInit, headers: Record<string, string> = {}) => {
    const url = `https://hub/publish/${stream}/${path}`;
    const answer = await hub.fetch(url, { method: 'POST', body, headers });
    return { status: answer.status, body: await answer.json() };
  };
  return {
    hub,
    ask: (request: object) => post('lease', JSON.stringify(request)),
    acquire: (origin: string) =>
      post('lease', JSON.stringify({ action: 'acquire', origin, leaseMs: LEASE_MS })),
    publish: (epoch: number, updates: readonly Unnumbered[], origin?: string) =>
      post(
        String(epoch),
        encodePublishFrames(framesOf(updates, 0)),
        origin === undefined ? {} : { [ORIGIN_HEADER]: origin, [LEASE_HEADER]: String(LEASE_MS) },
      ),
  };
}

describe('the lease of a stream', () => {
  it('lets its holder publish, answers others 409, and goes on from the next number when it is given back', async () => {
    const { acquire, publish, ask } = hubOf('lease-order');
    const granted = await acquire(A);
    expect(granted).toMatchObject({ status: 200, body: { status: 'granted', nextMsn: 0 } });
    const { epoch } = granted.body as { epoch: number };
    const run = [begin(0, ['v']), init('v'), part('v', 0, 0)];
    expect(await publish(epoch, run, A)).toMatchObject({ status: 200 });
    expect(await acquire(B)).toMatchObject({ status: 409, body: { status: 'held' } });
    expect(await publish(epoch + 5, run, B)).toMatchObject({ status: 409, body: { status: 'fenced' } });
    expect(await publish(epoch + 5, run)).toMatchObject({ status: 409, body: { status: 'fenced' } });
    expect(await ask({ action: 'release', origin: A, goodbye: false })).toMatchObject({
      body: { status: 'released', mayEnd: false },
    });
    expect(await acquire(B)).toMatchObject({ body: { status: 'granted', epoch: epoch + 1_000, nextMsn: 1 } });
    expect(await publish(epoch, run, A)).toMatchObject({ status: 409, body: { status: 'fenced' } });
  });

  it('is free at once for the next broadcast when the stream has ended', async () => {
    const { acquire, publish } = hubOf('lease-end');
    const { epoch } = (await acquire(A)).body as { epoch: number };
    await publish(epoch, [begin(0, ['v']), init('v'), part('v', 0, 0), { kind: 'end' }], A);
    expect(await acquire(B)).toMatchObject({ body: { status: 'granted', nextMsn: 1 } });
  });

  it('is kept for its holder over a restart of the hub, for its whole time from then', async () => {
    const { acquire, hub } = hubOf('lease-restart');
    await acquire(A);
    await runInDurableObject(hub, (_, { storage }) => {
      const later = Date.now() + HOUR_MS;
      const stored = new HubStorage(storage.sql).loadLease();
      const restarted = new HubLease(stored, later, () => undefined);
      const moment = { now: later + LEASE_MS - 1, latestEpoch: 0, nextMsn: 0 };
      const asked = { action: 'acquire', origin: B, leaseMs: LEASE_MS } as const;
      expect(restarted.decide(asked, moment).answer).toEqual({ status: 'held', expiresInMs: 1 });
      expect(restarted.decide(asked, { ...moment, now: later + LEASE_MS }).answer.status).toBe('granted');
    });
  });

  it('leaves no trace of a stream that is never published', async () => {
    const { acquire, hub } = hubOf('lease-only');
    await acquire(A);
    await runInDurableObject(hub, async (instance, { storage }) => {
      expect(await storage.getAlarm()).not.toBeNull();
      await instance.alarm();
      expect(new HubStorage(storage.sql).loadLease()).toBeUndefined();
    });
  });

  it.each([
    ['no JSON', '{'],
    ['an unknown action', '{"action":"steal","origin":"origin-a"}'],
    ['a lease of no time', '{"action":"acquire","origin":"origin-a","leaseMs":0}'],
    ['a name that is none', '{"action":"acquire","origin":"a b","leaseMs":3000}'],
    ['more than is read', JSON.stringify({ action: 'x'.repeat(10_000) })],
  ])('refuses %s', async (_, body) => {
    const { hub } = hubOf('lease-bad');
    const answer = await hub.fetch('https://hub/publish/lease-bad/lease', { method: 'POST', body });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { status: 'invalid', detail: 'not a lease request' },
    ]);
  });

  it('refuses an origin that names itself by half', async () => {
    const { hub } = hubOf('lease-half');
    const body = encodePublishFrames(framesOf([begin(0)], 0));
    const answer = await hub.fetch('https://hub/publish/lease-half/5', {
      method: 'POST',
      body,
      headers: { [ORIGIN_HEADER]: A },
    });
    expect(answer.status).toBe(400);
  });
});
