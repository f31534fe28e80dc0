import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideLease, LEASE_MS, MAX_LEASES, type Lease } from './lease.ts';

const NOW = 1_000_000;

function lease(session: string, started: number, until = NOW + 1_000): Lease {
  return { session, stream: 'show', country: 'DE', started, until };
}

function hear(
  leases: readonly Lease[],
  session: string,
  options: { readonly started: number; readonly limit?: number; readonly loser?: 'oldest' | 'newest' },
): { readonly held: boolean; readonly kept: readonly string[] } {
  const { held, leases: kept } = decideLease({
    leases,
    asked: { session, stream: 'show', country: undefined, started: options.started },
    sessions: { limit: options.limit ?? 1, loser: options.loser ?? 'newest' },
    now: NOW,
  });
  return { held, kept: kept.map((one) => one.session).sort() };
}

describe('a place for a session', () => {
  it('is free for the first', () => {
    expect(hear([], 'a', { started: 1 })).toEqual({ held: true, kept: ['a'] });
  });

  it('is refused to the second where the newest loses', () => {
    expect(hear([lease('a', 1)], 'b', { started: 2 })).toEqual({ held: false, kept: ['a'] });
  });

  it('is taken from the first where the oldest loses, and not given back while the second plays', () => {
    expect(hear([lease('a', 1)], 'b', { started: 2, loser: 'oldest' })).toEqual({ held: true, kept: ['b'] });
    expect(hear([lease('b', 2)], 'a', { started: 1, loser: 'oldest' })).toEqual({ held: false, kept: ['b'] });
  });

  it('is free again when a lease has run out', () => {
    expect(hear([lease('a', 1, NOW)], 'b', { started: 2 })).toEqual({ held: true, kept: ['b'] });
  });

  it('is kept for a lease from each heartbeat on', () => {
    const { leases } = decideLease({
      leases: [lease('a', 1)],
      asked: { session: 'a', stream: 'news', country: 'FR', started: 1 },
      sessions: { limit: 1, loser: 'newest' },
      now: NOW,
    });
    expect(leases).toEqual([
      { session: 'a', stream: 'news', country: 'FR', started: 1, until: NOW + LEASE_MS },
    ]);
  });

  it('is there for as many as the limit says', () => {
    const two = [lease('a', 1), lease('b', 2)];
    expect(hear(two, 'c', { started: 3, limit: 3 }).held).toBe(true);
    expect(hear(two, 'c', { started: 3, limit: 2 })).toEqual({ held: false, kept: ['a', 'b'] });
    expect(hear(two, 'c', { started: 3, limit: 2, loser: 'oldest' })).toEqual({
      held: true,
      kept: ['b', 'c'],
    });
    expect(hear([], 'a', { started: 1, limit: 0 }).held).toBe(false);
  });

  it('is one of a bounded number whatever the limit', () => {
    const many = Array.from({ length: MAX_LEASES }, (_, index) => lease(String(index), index));
    expect(hear(many, 'x', { started: NOW, limit: 1e9 }).kept.length).toBe(MAX_LEASES);
  });
});

describe('whoever is heard in whatever order', () => {
  const sessions = fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 12 });

  it('the same sessions have a place, never more than the limit', () => {
    const settings = fc.record({
      started: sessions,
      order: fc.array(fc.nat({ max: 11 }), { maxLength: 60 }),
      limit: fc.integer({ min: 1, max: 5 }),
      loser: fc.constantFrom('oldest' as const, 'newest' as const),
    });
    fc.assert(
      fc.property(settings, ({ started, order, limit, loser }) => {
        let leases: readonly Lease[] = [];
        const ask = (index: number): boolean => {
          const at = started[index % started.length] ?? 0;
          const decision = decideLease({
            leases,
            asked: { session: String(at), stream: 'show', country: undefined, started: at },
            sessions: { limit, loser },
            now: NOW,
          });
          ({ leases } = decision);
          expect(leases.length).toBeLessThanOrEqual(limit);
          return decision.held;
        };
        [...order, ...started.keys(), ...started.keys()].forEach(ask);
        const ranked = started.toSorted((a, b) => (loser === 'newest' ? a - b : b - a));
        const winners = new Set(ranked.slice(0, limit));
        for (const [index, at] of started.entries()) {
          expect(ask(index)).toBe(winners.has(at));
        }
      }),
      { numRuns: 300 },
    );
  });
});
