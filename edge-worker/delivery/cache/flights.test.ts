import { describe, expect, it, vi } from 'vitest';
import type { Answer } from './answer-store.ts';
import { Flights } from './flights.ts';

const ANSWER: Answer = { status: 200, headers: [], body: new Uint8Array([1]) };
/** More than those who are sent to the object to keep it alive. */
const VIEWERS = 40;

describe('answers that are being fetched', () => {
  it('are given to all who wait for them but the few who go to the object', async () => {
    const flights = new Flights();
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    flights.announce('/a', promise);
    const joined = Array.from({ length: VIEWERS }, () => flights.join('/a'));
    resolve(ANSWER);
    const answers = await Promise.all(joined);
    expect(answers.slice(0, 8)).toEqual(Array.from({ length: 8 }, () => undefined));
    expect(answers.slice(8)).toEqual(Array.from({ length: VIEWERS - 8 }, () => ANSWER));
  });

  it('are not known under another key, nor once they have landed', async () => {
    const flights = new Flights();
    flights.announce('/a', Promise.resolve(ANSWER));
    expect(await flights.join('/b')).toBeUndefined();
    flights.land('/a');
    await expect(Promise.all(Array.from({ length: VIEWERS }, () => flights.join('/a')))).resolves.toEqual(
      Array.from({ length: VIEWERS }, () => undefined),
    );
  });

  it('that fail, or are too large to share, are asked of the object by each', async () => {
    const flights = new Flights();
    const failing = Promise.withResolvers<Answer | undefined>();
    flights.announce('/failing', failing.promise);
    flights.announce('/large', Promise.resolve(undefined));
    const joined = Array.from({ length: VIEWERS }, () => flights.join('/failing'));
    failing.reject(new Error('the object is gone'));
    expect(new Set(await Promise.all(joined))).toEqual(new Set([undefined]));
    const large = Array.from({ length: VIEWERS }, () => flights.join('/large'));
    expect(new Set(await Promise.all(large))).toEqual(new Set([undefined]));
  });

  it('that never come are waited for until the limit, then asked of the object by each', async () => {
    vi.useFakeTimers();
    try {
      const flights = new Flights();
      flights.announce('/a', new Promise(() => undefined));
      const joined = Array.from({ length: VIEWERS }, () => flights.join('/a'));
      await vi.advanceTimersByTimeAsync(10_000);
      expect(new Set(await Promise.all(joined))).toEqual(new Set([undefined]));
    } finally {
      vi.useRealTimers();
    }
  });
});
