import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { encodePublishFrames, MAX_BODY_BYTES, publishAnswerSchema } from '#shared/wire/publish.ts';
import type { StreamHub } from './stream-hub.ts';
import { begin, framesOf, init, part, segment, segments, type Unnumbered } from './window-fixture.ts';

declare global {
  namespace Cloudflare {
    interface Env {
      HUB: DurableObjectNamespace<StreamHub>;
    }
  }
}

const START = [begin(), init('v'), init('a')];
let streams = 0;

/** One stream's hub, asked as gateway and delivery do. */
class Hub {
  readonly name: string;
  readonly stub: DurableObjectStub<StreamHub>;
  #next = 0;

  constructor() {
    streams += 1;
    this.name = `stream-${streams}`;
    this.stub = env.HUB.get(env.HUB.idFromName(this.name));
  }

  get(path: string): Promise<Response> {
    return this.stub.fetch(`https://hub/live/${this.name}/${path}`);
  }

  async text(path: string): Promise<string> {
    const response = await this.get(path);
    return `${response.status} ${new TextDecoder().decode(await response.arrayBuffer())}`;
  }

  post(body: Uint8Array, epoch: number | string = 100): Promise<Response> {
    return this.stub.fetch(`https://hub/publish/${this.name}/${epoch}`, { method: 'POST', body });
  }

  async publishFrom(seq: number, updates: readonly Unnumbered[], epoch = 100): Promise<unknown> {
    const response = await this.post(encodePublishFrames(framesOf(updates, seq)), epoch);
    return { code: response.status, ...publishAnswerSchema.parse(await response.json()) };
  }

  async publish(...updates: readonly Unnumbered[]): Promise<void> {
    const next = this.#next + updates.length;
    expect(await this.publishFrom(this.#next, updates)).toEqual({ code: 200, status: 'accepted', next });
    this.#next = next;
  }

  /** Waits until the hub holds as many requests as that. */
  async holding(count: number): Promise<void> {
    await expect
      .poll(() => runInDurableObject(this.stub, (instance) => instance.held), {
        timeout: 20_000,
        interval: 5,
      })
      .toBe(count);
  }

  async tables(): Promise<number> {
    return runInDurableObject(this.stub, (_, state) => {
      const names = state.storage.sql.exec(
        "SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_%' ESCAPE '\\'",
      );
      return names.toArray().length;
    });
  }
}

describe('publishing to a hub', () => {
  it('answers where a new epoch goes on, and leaves no trace where nothing was published', async () => {
    const hub = new Hub();
    const position = await hub.stub.fetch(`https://hub/publish/${hub.name}`);
    expect(await position.json()).toEqual({ latestEpoch: 0, nextMsn: 0, listed: null });
    expect((await hub.get('index.m3u8')).status).toBe(404);
    expect((await hub.get('v/index.m3u8?_HLS_msn=1')).status).toBe(404);
    expect((await hub.get('v/100-0.m4s')).status).toBe(404);
    expect(await hub.tables()).toBe(0);
    await hub.publish(...START, ...segments(0, 3), part('v', 3, 0));
    const later = await hub.stub.fetch(`https://hub/publish/${hub.name}`);
    expect(await later.json()).toMatchObject({
      latestEpoch: 100,
      nextMsn: 4,
      listed: { epoch: 100, msn: 0 },
    });
  });

  it('says how many requests of viewers have reached it, and how many are held', async () => {
    const hub = new Hub();
    const load = async (): Promise<unknown> =>
      (await hub.stub.fetch(`https://hub/publish/${hub.name}/load`)).json();
    expect(await load()).toEqual({ held: 0, playlists: 0, media: 0 });
    await hub.publish(...START, ...segments(0, 3));
    await hub.text('index.m3u8');
    await hub.text('v/100-0.m4s');
    const held = hub.text('v/index.m3u8?_HLS_msn=3&_HLS_part=0');
    await hub.holding(1);
    expect(await load()).toEqual({ held: 1, playlists: 2, media: 1 });
    await hub.publish(part('v', 3, 0));
    expect(await held).toMatch(/^200 /);
    expect(await load()).toEqual({ held: 0, playlists: 2, media: 1 });
  });

  it('takes repeats silently and answers a gap with the number expected, keeping what came before it', async () => {
    const hub = new Hub();
    await hub.publish(...START);
    expect(await hub.publishFrom(0, START)).toEqual({ code: 200, status: 'accepted', next: 3 });
    expect(await hub.publishFrom(5, [part('v', 0, 0)])).toEqual({ code: 409, status: 'gap', next: 3 });
    const withGap = [...framesOf([part('v', 0, 0)], 3), ...framesOf([part('v', 0, 1)], 6)];
    const answer = await hub.post(encodePublishFrames(withGap));
    expect([answer.status, await answer.json()]).toEqual([409, { status: 'gap', next: 4 }]);
    expect(await hub.text('v/100-0.0.m4s')).toBe('200 <v 0.0>');
  });

  it('refuses an epoch that is not newer, with the position at which one may begin', async () => {
    const hub = new Hub();
    await hub.publish(...START, ...segments(0, 1));
    const stale = { code: 409, status: 'stale', latestEpoch: 100, nextMsn: 1 };
    expect(await hub.publishFrom(0, [begin(1)], 99)).toEqual(stale);
    expect(await hub.publishFrom(0, [begin(0)], 101)).toEqual(stale);
    expect(await hub.publishFrom(4, [part('v', 1, 0)], 101)).toEqual({ code: 409, status: 'gap', next: 0 });
  });

  it.each([
    ['random bytes', new Uint8Array([0, 0, 0, 9, 0, 0, 0, 1, 1, 2, 3]), 400],
    ['a header length beyond the limit', new Uint8Array(16).fill(255), 413],
    ['a header that is no JSON', new Uint8Array([0, 0, 0, 1, 0, 0, 0, 0, 123]), 400],
    ['more bytes than a request may have', new Uint8Array(MAX_BODY_BYTES + 1), 413],
  ])('answers %s with 4xx and a reason', async (_, body, status) => {
    const response = await new Hub().post(body);
    expect(response.status).toBe(status);
    expect(publishAnswerSchema.parse(await response.json()).status).toBe('invalid');
  });

  it.each(['0', '-1', '1e3', '', '1/2', '99999999999999999999'])('knows no epoch %j', async (epoch) => {
    expect((await new Hub().post(new Uint8Array(), epoch)).status).toBe(404);
  });
});

describe('a blocking playlist request', () => {
  it('is held until the part is there, and shows it', async () => {
    const hub = new Hub();
    await hub.publish(...START, ...segments(0, 2));
    const held = hub.text('v/index.m3u8?_HLS_msn=2&_HLS_part=0');
    const heldForSegment = hub.text('v/index.m3u8?_HLS_msn=2');
    await hub.holding(2);
    await hub.publish(part('a', 2, 0));
    await hub.holding(2);
    await hub.publish(part('v', 2, 0));
    expect(await held).toMatch(
      /^200 #EXTM3U[^]*URI="100-2\.0\.m4s",INDEPENDENT=YES\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="100-2\.1\.m4s"\n#EXT-X-RENDITION-REPORT:URI="\.\.\/a\/index\.m3u8",LAST-MSN=2,LAST-PART=0\n$/,
    );
    await hub.holding(1);
    await hub.publish(part('v', 2, 1), { kind: 'segment', rendition: 'v', msn: 2, parts: 2 });
    expect(await heldForSegment).toContain('\n100-2.m4s\n');
  });

  it('for a rendition whose first part is still to come is held until it is there', async () => {
    const hub = new Hub();
    await hub.publish(...START);
    expect((await hub.get('v/index.m3u8')).status).toBe(404);
    expect((await hub.get('index.m3u8')).status).toBe(404);
    await hub.publish(part('a', 0, 0));
    const held = hub.text('v/index.m3u8');
    await hub.holding(1);
    await hub.publish(part('v', 0, 0));
    expect(await held).toContain('100-0.0.m4s');
  });

  it('is released by EXT-X-ENDLIST, all at once', async () => {
    const hub = new Hub();
    await hub.publish(...START, ...segments(0, 2));
    const held = ['v/index.m3u8?_HLS_msn=3', 'a/index.m3u8?_HLS_msn=2&_HLS_part=1'].map((path) =>
      hub.text(path),
    );
    const hint = hub.get('v/100-2.0.m4s');
    await hub.holding(3);
    await hub.publish({ kind: 'end' });
    for (const text of await Promise.all(held)) {
      expect(text).toMatch(/^200 [^]*#EXT-X-ENDLIST\n$/);
    }
    expect((await hint).status).toBe(404);
    expect((await hub.get('v/index.m3u8?_HLS_msn=99&_HLS_skip=YES')).status).toBe(200);
  });

  it('of an ended stream ignores its directives, wrong ones as well', async () => {
    const hub = new Hub();
    await hub.publish(...START, ...segments(0, 2), { kind: 'end' });
    const plain = await hub.text('v/index.m3u8');
    expect(await hub.text('v/index.m3u8?_HLS_part=3')).toBe(plain);
    expect(await hub.text('v/index.m3u8?_HLS_msn=x')).toBe(plain);
  });

  it('that is held for more than three target durations is answered 503', async () => {
    const hub = new Hub();
    const quick = { ...begin(), targetDuration: 1, partTarget: 0.5 };
    await hub.publish(quick, init('v'), part('v', 0, 0));
    const began = Date.now();
    const responses = await Promise.all([hub.get('v/index.m3u8?_HLS_msn=0'), hub.get('v/100-0.1.m4s')]);
    expect(responses.map((response) => response.status)).toEqual([503, 404]);
    expect(Date.now() - began).toBeGreaterThanOrEqual(2_900);
  });

  it('gets a delta update where it asks for one and the other forms where not', async () => {
    const hub = new Hub();
    await hub.publish(...START, ...segments(0, 9));
    const delta = await hub.text('v/index.m3u8?_HLS_skip=YES');
    expect(delta).toContain(
      '#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n',
    );
    expect(delta).not.toContain('100-2.m4s');
    expect(delta).toContain('100-3.m4s');
    expect(await hub.text('v/index.m3u8?_HLS_skip=v2')).not.toContain('EXT-X-SKIP');
    expect(await hub.text('v/index.m3u8?_HLS_future=1&x=1&x=2')).not.toContain('EXT-X-SKIP');
  });

  it.each([
    '_HLS_part=0',
    '_HLS_msn=-1',
    '_HLS_msn=%2B1',
    '_HLS_msn=1e3',
    '_HLS_msn=0x1',
    '_HLS_msn=1.0',
    '_HLS_msn=%201',
    '_HLS_msn=1000000000000000000000000000000',
    '_HLS_msn=1&_HLS_msn=1',
    '_HLS_msn=',
    '_HLS_msn=1&_HLS_part=',
    '_HLS_msn=1&_HLS_part=-1',
    '_HLS_msn=1&_HLS_part=1000000000000000000000000000000',
    '_HLS_msn=4',
    '_HLS_msn=9007199254740993',
    '_HLS_skip=',
  ])('with %s is answered 400', async (query) => {
    const hub = new Hub();
    await hub.publish(...START, ...segments(0, 2));
    expect((await hub.get(`v/index.m3u8?${query}`)).status).toBe(400);
  });
});

describe('media of a hub', () => {
  it('is served from memory: init, parts and the segment that they make', async () => {
    const hub = new Hub();
    await hub.publish(...START, ...segment('v', 0));
    expect(await hub.text('v/100-init.mp4')).toBe('200 init v');
    expect(await hub.text('v/100-0.1.m4s')).toBe('200 <v 0.1>');
    expect(await hub.text('v/100-0.m4s')).toBe('200 <v 0.0><v 0.1>');
  });

  it('that has left the playlist is served from memory while it is there', async () => {
    const hub = new Hub();
    await hub.publish(...START, ...segments(0, 12));
    expect(await hub.text('v/100-0.m4s')).toBe('200 <v 0.0><v 0.1>');
    expect(await hub.text('v/100-0.1.m4s')).toBe('200 <v 0.1>');
  });

  it('that is hinted is held until it is whole', async () => {
    const hub = new Hub();
    await hub.publish(...START, part('v', 0, 0));
    const held = hub.text('v/100-0.1.m4s');
    await hub.holding(1);
    await hub.publish(part('v', 0, 1));
    expect(await held).toBe('200 <v 0.1>');
  });

  it('that may lie in object storage is a 404 that says so, and one that never was is not', async () => {
    const hub = new Hub();
    await hub.publish(...START, ...segments(0, 12));
    await evictDurableObject(hub.stub);
    const lookups = ['v/99-1.m4s', 'v/100-1.m4s', 'x/99-init.mp4'].map((path) => hub.get(path));
    for (const response of await Promise.all(lookups)) {
      expect([response.status, response.headers.get('rill-lookup')]).toEqual([404, 'storage']);
    }
    const absent = ['v/99-7.m4s', 'v/100-13.m4s', 'v/101-1.m4s', 'x/100-1.m4s', 'v/100-1', 'v/../x'].map(
      (path) => hub.get(path),
    );
    for (const response of await Promise.all(absent)) {
      expect([response.status, response.headers.get('rill-lookup')]).toEqual([404, null]);
    }
  });
});

describe('an evicted hub', () => {
  it('comes back with the same playlists, position and expected number', async () => {
    const hub = new Hub();
    await hub.publish(...START, ...segments(0, 12), part('v', 12, 0));
    const before = [
      await hub.text('v/index.m3u8'),
      await hub.text('a/index.m3u8'),
      await hub.text('index.m3u8'),
    ];
    await evictDurableObject(hub.stub);
    const after = [
      await hub.text('v/index.m3u8'),
      await hub.text('a/index.m3u8'),
      await hub.text('index.m3u8'),
    ];
    expect(after).toEqual(before);
    expect(await hub.text('v/100-init.mp4')).toBe('200 init v');
    const cold = await hub.get('v/100-11.m4s');
    expect([cold.status, cold.headers.get('rill-lookup'), cold.headers.get('rill-parts')]).toEqual([
      404,
      'storage',
      '2',
    ]);
    await hub.publish(part('v', 12, 1), { kind: 'segment', rendition: 'v', msn: 12, parts: 2 });
    expect(await hub.text('v/index.m3u8')).toContain('\n100-12.m4s\n');
    expect(await hub.text('v/100-12.1.m4s')).toBe('200 <v 12.1>');
  });

  it('keeps rows of the listed segments only', async () => {
    const hub = new Hub();
    await hub.publish(...START, ...segments(0, 6));
    await hub.publish(...segments(6, 30));
    const rows = await runInDurableObject(hub.stub, (_, state) =>
      state.storage.sql.exec('SELECT count(*) AS rows, min(msn) AS first FROM segment').toArray(),
    );
    expect(rows).toEqual([{ rows: 20, first: 20 }]);
  });
});

describe('a crowd', () => {
  it('of 500 held requests is released with one text', async () => {
    const hub = new Hub();
    await hub.publish(...START, ...segments(0, 3));
    const held = Array.from({ length: 500 }, () => hub.text('v/index.m3u8?_HLS_msn=3&_HLS_part=0'));
    await hub.holding(500);
    await hub.publish(part('v', 3, 0));
    const texts = new Set(await Promise.all(held));
    expect([...texts]).toEqual([expect.stringContaining('100-3.0.m4s')]);
  });
});
