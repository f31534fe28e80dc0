import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { ViewerSessions } from './viewer-sessions.ts';

declare global {
  namespace Cloudflare {
    interface Env {
      VIEWER_SESSIONS: DurableObjectNamespace<ViewerSessions>;
    }
  }
}

const ONE = { limit: 1, loser: 'newest' } as const;
const CALL = { stream: 'show', country: 'DE', started: undefined, sessions: ONE };

describe("a viewer's object", () => {
  it('numbers sessions in the order in which they begin', async () => {
    const viewer = env.VIEWER_SESSIONS.getByName('numbered');
    const answers = [];
    for (const session of ['a', 'b', 'c']) {
      answers.push(await viewer.hear({ ...CALL, session, sessions: { limit: 3, loser: 'newest' } }));
    }
    const started = answers.map((answer) => answer.started);
    expect(new Set(started).size).toBe(3);
    expect(started).toEqual(started.toSorted((a, b) => a - b));
    expect((await viewer.list()).map(({ session, stream, country }) => [session, stream, country])).toEqual([
      ['a', 'show', 'DE'],
      ['b', 'show', 'DE'],
      ['c', 'show', 'DE'],
    ]);
  });

  it('knows who has a place after a restart', async () => {
    const viewer = env.VIEWER_SESSIONS.getByName('restarted');
    const first = await viewer.hear({ ...CALL, session: 'a' });
    const before = await viewer.list();
    await evictDurableObject(viewer);
    expect(await viewer.list()).toEqual(before);
    expect(await viewer.hear({ ...CALL, session: 'b' })).toMatchObject({ held: false });
    expect(await viewer.hear({ ...CALL, session: 'a', started: first.started })).toEqual({
      held: true,
      started: first.started,
    });
  });

  it('keeps viewers apart', async () => {
    expect(await env.VIEWER_SESSIONS.getByName('one').hear({ ...CALL, session: 'a' })).toMatchObject({
      held: true,
    });
    expect(await env.VIEWER_SESSIONS.getByName('two').hear({ ...CALL, session: 'a' })).toMatchObject({
      held: true,
    });
  });

  it('takes the place of the oldest and tells it with its next heartbeat', async () => {
    const viewer = env.VIEWER_SESSIONS.getByName('oldest');
    const sessions = { limit: 1, loser: 'oldest' } as const;
    const a = await viewer.hear({ ...CALL, session: 'a', sessions });
    const b = await viewer.hear({ ...CALL, session: 'b', sessions });
    expect([a.held, b.held]).toEqual([true, true]);
    expect((await viewer.hear({ ...CALL, session: 'a', sessions, started: a.started })).held).toBe(false);
    await evictDurableObject(viewer);
    expect((await viewer.hear({ ...CALL, session: 'a', sessions, started: a.started })).held).toBe(false);
    expect((await viewer.hear({ ...CALL, session: 'b', sessions, started: b.started })).held).toBe(true);
  });

  it('leaves nothing behind when its last lease has run out, and begins anew', async () => {
    const viewer = env.VIEWER_SESSIONS.getByName('gone');
    await viewer.hear({ ...CALL, session: 'a' });
    await runInDurableObject(viewer, (_instance, state) => {
      state.storage.sql.exec('UPDATE lease SET until = 1');
    });
    await evictDurableObject(viewer);
    expect(await runDurableObjectAlarm(viewer)).toBe(true);
    await runInDurableObject(viewer, (_instance, state) => {
      expect(state.storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'lease'").toArray()).toEqual(
        [],
      );
    });
    expect(await viewer.hear({ ...CALL, session: 'b' })).toMatchObject({ held: true });
  });

  it('is left alone by the alarm while somebody plays', async () => {
    const viewer = env.VIEWER_SESSIONS.getByName('playing');
    await viewer.hear({ ...CALL, session: 'a' });
    expect(await runDurableObjectAlarm(viewer)).toBe(true);
    expect((await viewer.list()).length).toBe(1);
    expect(await runInDurableObject(viewer, (_instance, state) => state.storage.getAlarm())).not.toBeNull();
  });
});

describe('a token for one use', () => {
  it('is given up once, also after a restart', async () => {
    const token = env.VIEWER_SESSIONS.getByName('token:issuer:1');
    const until = Date.now() + 60_000;
    expect(await token.claim(until)).toBe(true);
    expect(await token.claim(until)).toBe(false);
    await evictDurableObject(token);
    expect(await token.claim(until)).toBe(false);
    expect(await env.VIEWER_SESSIONS.getByName('token:issuer:2').claim(until)).toBe(true);
  });
});
