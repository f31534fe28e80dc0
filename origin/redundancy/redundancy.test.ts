import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FeedRole } from '../ingest/media-feed.ts';
import { isHealthy, NO_FEEDS, redundancy, type RedundancyEvent, type RedundancyState } from './redundancy.ts';

const TIMES = { lossAfter: 1_000, returnAfter: 10_000 };
const TICK_MS = 200;

/** Runs events; returns the state after each. */
function run(events: readonly RedundancyEvent[]): readonly RedundancyState[] {
  let state = NO_FEEDS;
  return events.map((event) => {
    state = redundancy(state, event, TIMES);
    return state;
  });
}

/** Media of some feeds every 100 ms, from `from` up to and without `to`. */
function media(roles: readonly FeedRole[], from: number, to: number): RedundancyEvent[] {
  return Array.from({ length: (to - from) / 100 }, (_, index) =>
    roles.map((role) => ({ kind: 'media', role, at: from + index * 100 }) as const),
  ).flat();
}

const OPEN: RedundancyEvent = { kind: 'open', at: 0 };
const tick = (at: number): RedundancyEvent => ({ kind: 'tick', at });
const last = (states: readonly RedundancyState[]) => states.at(-1)?.active;

describe('the feed on air', () => {
  it('is the primary, and none before this origin may publish', () => {
    const both = media(['backup', 'primary'], 0, 500);
    expect(run(both).every(({ active }) => active === undefined)).toBe(true);
    expect(last(run([...both, { kind: 'open', at: 500 }]))).toBe('primary');
  });

  it('is the backup as soon as the primary is gone, or has been silent for as long as is put up with', () => {
    const both = [OPEN, ...media(['primary', 'backup'], 0, 2_000)];
    expect(last(run([...both, { kind: 'gone', role: 'primary', at: 2_000 }]))).toBe('backup');
    const silent = [...both, ...media(['backup'], 2_000, 2_900)];
    expect(last(run(silent))).toBe('primary');
    expect(last(run([...silent, ...media(['backup'], 2_900, 3_000)]))).toBe('backup');
  });

  it('is the primary again only when that has run for the whole time without a break', () => {
    const away = [OPEN, ...media(['backup'], 0, 1_000)];
    const back = [
      ...away,
      ...media(['backup', 'primary'], 1_000, 9_000),
      ...media(['backup'], 9_000, 11_000),
    ];
    const again = [...back, ...media(['backup', 'primary'], 11_000, 21_000)];
    expect(run(again).every(({ active }) => active !== 'primary')).toBe(true);
    expect(last(run([...again, ...media(['primary'], 21_000, 21_100)]))).toBe('primary');
  });

  it('stays where the other is no better', () => {
    expect(last(run([OPEN, ...media(['primary'], 0, 500), tick(60_000)]))).toBe('primary');
  });
});

/** Two feeds that run, fall silent, go and come back at random, looked at every {@link TICK_MS}. */
const histories = fc
  .array(
    fc.record({
      primary: fc.constantFrom('runs', 'silent', 'gone'),
      backup: fc.constantFrom('runs', 'silent', 'gone'),
      ticks: fc.integer({ min: 1, max: 80 }),
    }),
    {
      maxLength: 20,
    },
  )
  .map((phases) => {
    const events: RedundancyEvent[] = [OPEN];
    let at = 0;
    for (const { ticks, ...feeds } of phases) {
      for (let count = 0; count < ticks; count += 1) {
        at += TICK_MS;
        for (const role of ['primary', 'backup'] as const) {
          if (feeds[role] === 'runs') {
            events.push({ kind: 'media', role, at });
          } else if (feeds[role] === 'gone' && count === 0) {
            events.push({ kind: 'gone', role, at });
          }
        }
        events.push(tick(at));
      }
    }
    return events;
  });

describe('whatever happens to two feeds', () => {
  it('a healthy feed is on air within the time of a loss and a look at the clock', () => {
    fc.assert(
      fc.property(histories, (events) => {
        run(events).forEach((state, index) => {
          const at = events[index]?.at ?? 0;
          const other = state.active === 'primary' ? 'backup' : 'primary';
          const isFine = state.active !== undefined && isHealthy(state, state.active, at, TIMES);
          expect(isFine || !isHealthy(state, other, at, TIMES)).toBe(true);
        });
      }),
      { numRuns: 200 },
    );
  });

  it('it leaves a healthy feed for one reason alone: the primary has run for the whole time', () => {
    fc.assert(
      fc.property(histories, (events) => {
        const states = run(events);
        states.forEach((state, index) => {
          const before = states[index - 1];
          const event = events[index];
          if (before?.active === undefined || event === undefined || state.active === before.active) {
            return;
          }
          const left = isHealthy(state, before.active, event.at, TIMES);
          const since = state.primary?.healthySince ?? Infinity;
          expect(left && (state.active !== 'primary' || event.at - since < TIMES.returnAfter)).toBe(false);
        });
      }),
      { numRuns: 200 },
    );
  });
});
