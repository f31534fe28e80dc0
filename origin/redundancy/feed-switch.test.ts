import { describe, expect, it, vi } from 'vitest';
import { parseStreamName } from '#shared/identifiers.ts';
import { FeedQueue } from '../ingest/srt/feed-queue.ts';
import type { FeedEvent, MediaFeed } from '../ingest/media-feed.ts';
import { createLog } from '../log.ts';
import { FeedSwitch } from './feed-switch.ts';

const TIMES = { lossAfter: 200, returnAfter: 10_000 };
const LONG_ENOUGH = { timeout: 5_000, interval: 5 };

/** A feed that the test fills. */
function testFeed() {
  const queue = new FeedQueue({ limitBytes: 1e6, onRoom: () => undefined, onAbandon: () => undefined });
  const stream = parseStreamName('cam');
  if (!stream.ok) {
    throw new Error('cam');
  }
  const feed: MediaFeed = {
    ...{
      stream: stream.value,
      protocol: 'srt',
      container: 'mpegts',
      remoteAddress: '127.0.0.1',
      events: queue,
    },
    close: (detail) => queue.push({ kind: 'end', end: { reason: 'closed', detail } }),
  };
  return {
    feed,
    source: (text: string) =>
      queue.push({ kind: 'source', source: { video: undefined, audio: undefined }, preamble: bytes(text) }),
    media: (text: string) =>
      queue.push({ kind: 'media', bytes: bytes(text), randomAccess: text.startsWith('key') }),
    lose: () => queue.push({ kind: 'end', end: { reason: 'connection-lost', detail: 'test' } }),
  };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function text(event: FeedEvent): string {
  switch (event.kind) {
    case 'source':
      return new TextDecoder().decode(event.preamble);
    case 'media':
      return new TextDecoder().decode(event.bytes);
    case 'end':
      return event.end.reason;
  }
}

/** A switch with what each of its turns on air has given. */
function testSwitch() {
  const turns: string[][] = [];
  const seen = { media: 0, idle: 0 };
  const feeds = new FeedSwitch({
    times: TIMES,
    onAir: (feed) => {
      const turn: string[] = [];
      turns.push(turn);
      void (async () => {
        for await (const event of feed.events) {
          turn.push(text(event));
        }
      })();
    },
    onMedia: () => (seen.media += 1),
    onIdle: () => (seen.idle += 1),
    log: createLog({ level: 'silent', pretty: false, name: 'test' }),
    now: Date.now,
  });
  return { feeds, turns, seen };
}

describe('a switch of feeds', () => {
  it('begins with the newest key frame that was kept when it is opened', async () => {
    const { feeds, turns, seen } = testSwitch();
    const primary = testFeed();
    feeds.attach(primary.feed, 'primary');
    ['a', 'key 1', 'b', 'key 2', 'c'].forEach(primary.media);
    primary.source('head');
    ['late', 'key 3', 'd'].forEach(primary.media);
    await vi.waitFor(() => expect(seen.media).toBe(8), LONG_ENOUGH);
    expect(turns).toEqual([]);
    feeds.open();
    primary.media('e');
    await vi.waitFor(() => expect(turns).toEqual([['head', 'key 3', 'd', 'e']]), LONG_ENOUGH);
    feeds.close('end');
    await vi.waitFor(() => expect(turns[0]?.at(-1)).toBe('closed'), LONG_ENOUGH);
    expect(feeds.isEmpty).toBe(true);
  });

  it('goes to the kept backup when the primary is lost, and the turn of each is a feed of its own', async () => {
    const { feeds, turns } = testSwitch();
    const [primary, backup] = [testFeed(), testFeed()];
    feeds.open();
    feeds.attach(primary.feed, 'primary');
    feeds.attach(backup.feed, 'backup');
    primary.source('p');
    primary.media('key p');
    await vi.waitFor(() => expect(turns).toHaveLength(1), LONG_ENOUGH);
    backup.source('b');
    backup.media('key b');
    await vi.waitFor(() => expect(feeds.status().every(({ healthy }) => healthy)).toBe(true), LONG_ENOUGH);
    primary.lose();
    await vi.waitFor(
      () =>
        expect(turns).toEqual([
          ['p', 'key p', 'connection-lost'],
          ['b', 'key b'],
        ]),
      LONG_ENOUGH,
    );
    expect(feeds.status()).toMatchObject([{ role: 'backup', onAir: true }]);
    backup.lose();
    await vi.waitFor(() => expect(turns[1]?.at(-1)).toBe('connection-lost'), LONG_ENOUGH);
  });

  it('hears a lost feed out before the one that comes back in its role', async () => {
    const { feeds, turns } = testSwitch();
    const [lost, back] = [testFeed(), testFeed()];
    feeds.open();
    feeds.attach(lost.feed, 'primary');
    lost.source('l');
    lost.media('key l');
    await vi.waitFor(() => expect(turns).toHaveLength(1), LONG_ENOUGH);
    lost.media('rest');
    lost.lose();
    feeds.attach(back.feed, 'primary');
    back.source('b');
    back.media('key b');
    await vi.waitFor(
      () =>
        expect(turns).toEqual([
          ['l', 'key l', 'rest', 'connection-lost'],
          ['b', 'key b'],
        ]),
      LONG_ENOUGH,
    );
    feeds.close('end');
  });

  it('leaves a primary that falls silent', async () => {
    const { feeds, turns } = testSwitch();
    const [primary, backup] = [testFeed(), testFeed()];
    feeds.open();
    feeds.attach(primary.feed, 'primary');
    primary.source('p');
    primary.media('key p');
    await vi.waitFor(() => expect(turns).toHaveLength(1), LONG_ENOUGH);
    feeds.attach(backup.feed, 'backup');
    backup.source('b');
    await vi.waitFor(() => {
      backup.media('key b');
      expect(turns).toHaveLength(2);
    }, LONG_ENOUGH);
    feeds.close('end');
  });

  it('tells that it is idle when its last feed goes without having been on air', async () => {
    const { feeds, seen } = testSwitch();
    const backup = testFeed();
    feeds.attach(backup.feed, 'backup');
    backup.lose();
    await vi.waitFor(() => expect(seen.idle).toBe(1), LONG_ENOUGH);
  });
});
