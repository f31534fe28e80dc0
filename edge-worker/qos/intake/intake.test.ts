import { expect, test } from 'vitest';
import fc from 'fast-check';
import { Outbox } from '../writer/outbox.ts';
import { classifyAgent } from '../user-agent.ts';
import { NEW_CMCD_SESSION, cmcdPlayerEvents, readCmcdEvents } from './cmcd-events.ts';
import { eventTime } from './event-time.ts';
import { ReplayGuard } from './replay-guard.ts';

test('an event counts once, in whatever order the events come', () => {
  const orders = fc.shuffledSubarray([...Array(100).keys()], { minLength: 1 });
  fc.assert(
    fc.property(orders, (order) => {
      const guard = new ReplayGuard();
      expect(order.map((seq) => guard.isNew('s', seq))).toEqual(order.map(() => true));
      expect(order.map((seq) => guard.isNew('s', seq))).toEqual(order.map(() => false));
    }),
    { numRuns: 100 },
  );
});

test('an event 128 below the highest counts as replayed, and the session silent for longest is forgotten', () => {
  const guard = new ReplayGuard(2);
  expect(guard.isNew('a', 200)).toBe(true);
  expect(guard.isNew('a', 72)).toBe(false);
  expect(guard.isNew('a', 73)).toBe(true);
  guard.isNew('b', 1);
  guard.isNew('a', 201);
  guard.isNew('c', 1);
  expect(guard.isNew('a', 200)).toBe(false);
  expect(guard.isNew('b', 1)).toBe(true);
});

test("a viewer's clock that is wrong by hours is corrected by the time of sending", () => {
  const now = 1_800_000_000_000;
  const wrong = now - 7_200_000;
  expect(eventTime({ at: wrong - 5_000, sentAt: wrong, now })).toBe(now - 5_000);
  expect(eventTime({ at: wrong + 5_000, sentAt: wrong, now })).toBe(now);
  expect(eventTime({ at: now - 86_400_001, sentAt: now, now })).toBeUndefined();
});

test.each([
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0',
    'desktop edge windows',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15',
    'desktop safari macos',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 CriOS/140 Mobile Safari/604',
    'mobile chrome ios',
  ],
  [
    'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36',
    'mobile chrome android',
  ],
  [
    'Mozilla/5.0 (Linux; Android 14; SM-X910) AppleWebKit/537.36 SamsungBrowser/28 Chrome/130 Safari/537',
    'tablet samsung android',
  ],
  [
    'Mozilla/5.0 (SMART-TV; Linux; Tizen 8.0) AppleWebKit/537.36 Chrome/108 TV Safari/537.36',
    'tv chrome tizen',
  ],
  ['Mozilla/5.0 (PlayStation 5) AppleWebKit/605.1.15 Safari/605.1.15', 'console safari other'],
  ['AppleCoreMedia/1.0.0.22A (Apple TV; U; CPU OS 18_0 like Mac OS X)', 'tv avplayer ios'],
  ['Lavf/61.1.100', 'other ffmpeg other'],
  ['curl/8.9.1', 'bot other other'],
])('%s is %s', (agent, classes) => {
  expect(Object.values(classifyAgent(agent)).join(' ')).toBe(classes);
});

test('no user agent is none', () => {
  expect(classifyAgent(null)).toEqual({ device: 'other', browser: 'other', os: 'other' });
});

test('whatever a batch of CMCD holds, times are never negative nor longer than a minute', () => {
  const at = fc.integer({ min: 0, max: 10_000_000 });
  const line = fc.record({
    e: fc.constantFrom('ps', 't', 'e', 'bc', 'x'),
    sta: fc.constantFrom('s', 'p', 'r', 'a', 'k', 'e', '?'),
    ts: at,
  });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      const body = lines
        .map(({ e, sta, ts }) => `e=${e},sta=${sta === '?' ? '"?"' : sta},ts=${ts},sid="s",cid="show"`)
        .join('\n');
      const read = readCmcdEvents(body, new URL('https://edge/beacon'));
      const session = read.ok ? read.value[0] : undefined;
      const { events } = cmcdPlayerEvents(session?.lines ?? [], NEW_CMCD_SESSION, 10_000_000);
      for (const { watchedMs = 0, stalledMs = 0, startupMs = 0 } of events) {
        expect(watchedMs).toBeGreaterThanOrEqual(0);
        expect(Math.max(watchedMs, stalledMs)).toBeLessThanOrEqual(60_000);
        expect(startupMs).toBeGreaterThanOrEqual(0);
      }
    }),
    { numRuns: 200 },
  );
});

test('rows of many requests leave in one call, and come along with the next where the writer is away', async () => {
  const sent: string[] = [];
  const work: Promise<unknown>[] = [];
  let isAway = true;
  const route = {
    send: async (rows: string) => {
      if (isAway) {
        throw new Error('away');
      }
      sent.push(rows);
    },
    waitUntil: (one: Promise<unknown>) => {
      work.push(one);
    },
  };
  const outbox = new Outbox(Infinity, async () => undefined);
  outbox.add(['a'], route);
  outbox.add(['b', 'c'], route);
  expect(work).toHaveLength(1);
  await Promise.all(work);
  isAway = false;
  outbox.add(['d'], route);
  await Promise.all(work);
  expect(sent).toEqual(['a\nb\nc\nd']);
});

test('rows beyond the bound are dropped, and the next call that arrives tells how many', async () => {
  const told: number[] = [];
  const work: Promise<unknown>[] = [];
  const outbox = new Outbox(Infinity, async () => undefined);
  const route = {
    send: async (_rows: string, dropped: number) => {
      told.push(dropped);
    },
    waitUntil: (one: Promise<unknown>) => {
      work.push(one);
    },
  };
  const row = 'x'.repeat(1_000_000);
  outbox.add(
    Array.from({ length: 25 }, () => row),
    route,
  );
  await Promise.all(work);
  expect([told[0], told.reduce((sum, one) => sum + one, 0)]).toEqual([6, 6]);
});

test('a call has no more rows than its receiver takes', async () => {
  const sent: string[] = [];
  const work: Promise<unknown>[] = [];
  const outbox = new Outbox(2, async () => undefined);
  outbox.add(['a', 'b', 'c'], {
    send: async (rows) => {
      sent.push(rows);
    },
    waitUntil: (one) => {
      work.push(one);
    },
  });
  await Promise.all(work);
  expect(sent).toEqual(['a\nb', 'c']);
});
