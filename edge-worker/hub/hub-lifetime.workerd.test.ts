import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { deliver } from '../delivery/deliver.ts';
import { testEnv } from '../testing/fixture.ts';
import { encodePublishFrames } from '#shared/wire/publish.ts';
import type { StreamHub } from './stream-hub.ts';
import { begin, framesOf, init, part, segments, type Unnumbered } from './window-fixture.ts';

declare global {
  namespace Cloudflare {
    interface Env {
      HUB: DurableObjectNamespace<StreamHub>;
      MEDIA: R2Bucket;
    }
  }
}

const START = [begin(), init('v'), init('a')];
let streams = 0;

/** A stream as players see it through delivery, and its hub from inside. */
class Stream {
  readonly name: string;
  #next = 0;

  constructor() {
    streams += 1;
    this.name = `lifetime-${streams}`;
  }

  /** A stub is of no use once its object has crashed. */
  get stub(): DurableObjectStub<StreamHub> {
    return env.HUB.get(env.HUB.idFromName(this.name));
  }

  async publish(...updates: readonly Unnumbered[]): Promise<void> {
    const body = encodePublishFrames(framesOf(updates, this.#next));
    const answer = await this.stub.fetch(`https://hub/publish/${this.name}/100`, { method: 'POST', body });
    // The object cannot be evicted before its answer was read.
    expect(await answer.json()).toMatchObject({ status: 'accepted' });
    this.#next += updates.length;
  }

  play(path: string): Promise<Response> {
    const request = new Request(`https://edge/live/${this.name}/${path}`);
    return deliver(request, testEnv({ HUB: env.HUB, MEDIA: env.MEDIA }));
  }

  async text(path = 'v/index.m3u8'): Promise<string> {
    const response = await this.play(path);
    return `${response.status} ${new TextDecoder().decode(await response.arrayBuffer())}`;
  }

  async holding(count: number): Promise<void> {
    await expect
      .poll(() => runInDurableObject(this.stub, (instance) => instance.held), {
        timeout: 20_000,
        interval: 5,
      })
      .toBe(count);
  }

  /** Puts the origin's last word that far into the past. */
  async silentFor(milliseconds: number): Promise<void> {
    await runInDurableObject(this.stub, (_, state) => {
      state.storage.sql.exec('UPDATE heard SET at = ?', Date.now() - milliseconds);
    });
    await evictDurableObject(this.stub);
  }

  rows(): Promise<number> {
    return runInDurableObject(this.stub, (_, { storage }) => {
      const tables = storage.sql.exec(
        "SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_%' ESCAPE '\\'",
      );
      return tables.toArray().length;
    });
  }

  alarm(): Promise<number | null> {
    return runInDurableObject(this.stub, (_, { storage }) => storage.getAlarm());
  }
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

describe('a hub that starts anew', () => {
  it('shows a playlist only when its origin has spoken again', async () => {
    const stream = new Stream();
    await stream.publish(...START, ...segments(0, 3));
    await evictDurableObject(stream.stub);
    const plain = stream.text();
    await stream.publish(part('v', 3, 0));
    expect(await plain).toContain('100-3.0.m4s');
  });
});

describe('media older than the window', () => {
  it('comes from object storage', async () => {
    const stream = new Stream();
    await stream.publish(...START, ...segments(0, 12));
    expect(await stream.text()).not.toContain('100-0.m4s');
    await env.MEDIA.put(`live/${stream.name}/100/v/0.m4s`, 'stored');
    await evictDurableObject(stream.stub);
    expect(await stream.text('v/100-0.m4s')).toBe('200 stored');
  });
});

describe('a stream whose origin is silent', () => {
  it('stays as it is for ten minutes, then ends', async () => {
    const stream = new Stream();
    await stream.publish(...START, ...segments(0, 3));
    await stream.silentFor(8 * MINUTE_MS);
    const last = await stream.text();
    expect(await runDurableObjectAlarm(stream.stub)).toBe(true);
    expect(await stream.text()).toBe(last);
    const next = (await stream.alarm()) ?? 0;
    expect(next - Date.now()).toBeLessThanOrEqual(2 * MINUTE_MS);
    await stream.silentFor(10 * MINUTE_MS);
    await runDurableObjectAlarm(stream.stub);
    expect(await stream.text()).toMatch(/100-2\.m4s\n#EXT-X-ENDLIST\n$/);
    await evictDurableObject(stream.stub);
    expect(await stream.text()).toMatch(/#EXT-X-ENDLIST\n$/);
  });

  it('that ended is kept for a week, then leaves no trace', async () => {
    const stream = new Stream();
    await stream.publish(...START, ...segments(0, 3), { kind: 'end' });
    expect(((await stream.alarm()) ?? 0) - Date.now()).toBeGreaterThan(6 * DAY_MS);
    await stream.silentFor(6 * DAY_MS);
    await runDurableObjectAlarm(stream.stub);
    expect(await stream.text()).toMatch(/^200 /);
    await stream.silentFor(7 * DAY_MS);
    await runDurableObjectAlarm(stream.stub);
    expect(await stream.text()).toMatch(/^404 /);
    expect(await stream.rows()).toBe(0);
    expect(await stream.alarm()).toBeNull();
  });
});

describe('a hub that crashes', () => {
  it('answers held requests with a 503 that no cache keeps, and comes back with the same playlist', async () => {
    const stream = new Stream();
    await stream.publish(...START, ...segments(0, 3));
    const before = await stream.text();
    const held = stream.play('v/index.m3u8?_HLS_msn=3&_HLS_part=0');
    await stream.holding(1);
    await runInDurableObject(stream.stub, (_, state) => state.abort('crashed on purpose')).catch(
      () => undefined,
    );
    const answer = await held;
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([503, 'no-store']);
    expect(await stream.text()).toBe(before);
    const again = stream.text('v/index.m3u8?_HLS_msn=3&_HLS_part=0');
    await stream.publish(part('v', 3, 0));
    expect(await again).toContain('100-3.0.m4s');
  });
});
