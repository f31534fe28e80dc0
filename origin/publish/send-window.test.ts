import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryDelay } from '../backoff.ts';
import { SendWindow } from './send-window.ts';

const NOTHING = new Uint8Array();

function filled(count: number, keep = { maxBytes: 1_000_000, maxAgeMs: 1_000 }): SendWindow {
  const window = new SendWindow(keep);
  for (let update = 0; update < count; update += 1) {
    window.append({ kind: 'end' }, new Uint8Array(100), update);
  }
  return window;
}

function numbers(window: SendWindow): readonly number[] {
  return window.batch(Number.MAX_SAFE_INTEGER).map((frame) => frame.update.seq);
}

describe('a send window', () => {
  it('holds at least one update in a batch, however large', () => {
    expect(filled(3).batch(1)).toHaveLength(1);
  });

  it('refuses to go on from an update that was never made or is no longer kept', () => {
    const window = filled(3, { maxBytes: 0, maxAgeMs: 0 });
    expect(window.seek(2, 0)).toBe(true);
    expect(window.seek(4, 0)).toBe(false);
    expect(window.seek(1, 0)).toBe(false);
    expect(numbers(window)).toEqual([2]);
  });

  it('keeps acknowledged updates by age', () => {
    const window = filled(10, { maxBytes: 1_000_000, maxAgeMs: 5 });
    expect(window.seek(10, 9)).toBe(true);
    expect(window.oldest).toBe(4);
  });

  it('sends everything from the number it was set to, in order, and counts its bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 30 }), { maxLength: 40 }), (seeks) => {
        const window = filled(20);
        for (const next of seeks) {
          const sought = window.seek(next, 0);
          expect(sought).toBe(next <= 20);
          if (sought) {
            expect(numbers(window)).toEqual(Array.from({ length: 20 - next }, (_, index) => next + index));
            expect(window.waitingBytes).toBe((20 - next) * 612);
          }
        }
      }),
    );
  });

  it('numbers go on after it was cleared', () => {
    const window = filled(3);
    window.clear();
    window.append({ kind: 'end' }, NOTHING, 0);
    expect(numbers(window)).toEqual([3]);
  });
});

describe('a retry delay', () => {
  it('doubles from its base to its cap and spreads over its upper half', () => {
    const backoff = { baseMs: 100, maxMs: 1000 };
    expect([1, 2, 3, 4, 5, 1e9].map((attempt) => retryDelay(attempt, backoff, 0))).toEqual([
      50, 100, 200, 400, 500, 500,
    ]);
    expect(retryDelay(1, backoff, 0.999)).toBeCloseTo(100, 0);
  });
});
