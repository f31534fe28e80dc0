import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { AnswerStore, type Answer } from './answer-store.ts';

const BOUNDS = { maxEntries: 3, maxBytes: 10_000, maxAnswerBytes: 5_000, maxIdleSeconds: 60 };

function answer(bytes: number): Answer {
  return { status: 200, headers: [], body: new Blob([new Uint8Array(bytes)]) };
}

it('gives an answer with its age until its lifetime is over, and not after', () => {
  const store = new AnswerStore(BOUNDS);
  expect(store.keep('/a', answer(1), { now: 1_000, seconds: 2 })).toBe(true);
  expect(store.find('/a', 1_999)?.age).toBe(0);
  expect(store.find('/a', 2_999)?.age).toBe(1);
  expect(store.find('/a', 3_000)).toBeUndefined();
  expect([store.size, store.bytes]).toEqual([0, 0]);
});

it('makes room by what was asked for longest ago', () => {
  const store = new AnswerStore(BOUNDS);
  for (const key of ['/a', '/b', '/c']) {
    store.keep(key, answer(1), { now: 0, seconds: 60 });
  }
  store.find('/a', 1);
  store.keep('/d', answer(1), { now: 2, seconds: 60 });
  expect(['/a', '/b', '/c', '/d'].map((key) => store.find(key, 3) !== undefined)).toEqual([
    true,
    false,
    true,
    true,
  ]);
});

it('does not keep an answer that would push out everything else, nor one without a lifetime', () => {
  const store = new AnswerStore(BOUNDS);
  expect(store.keep('/large', answer(5_001), { now: 0, seconds: 60 })).toBe(false);
  expect(store.keep('/failed', answer(1), { now: 0, seconds: 0 })).toBe(false);
  expect(store.size).toBe(0);
});

it('lets go of what is over or was not asked for, so that it holds what is watched', () => {
  const store = new AnswerStore({ ...BOUNDS, maxEntries: 10 });
  store.keep('/watched', answer(1), { now: 0, seconds: 3_600 });
  store.keep('/left', answer(1), { now: 0, seconds: 3_600 });
  store.keep('/over', answer(1), { now: 0, seconds: 5 });
  store.find('/watched', 30_000);
  store.keep('/new', answer(1), { now: 61_000, seconds: 3_600 });
  expect(store.size).toBe(2);
  expect(store.find('/watched', 61_000)).toBeDefined();
  expect(store.find('/left', 61_000)).toBeUndefined();
});

it('stays within its bounds whatever is kept, replaced and asked for', () => {
  const step = fc.record({
    key: fc.integer({ min: 0, max: 8 }),
    bytes: fc.integer({ min: 0, max: 6_000 }),
    seconds: fc.integer({ min: 0, max: 5 }),
    find: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const store = new AnswerStore(BOUNDS);
      for (const [second, { key, bytes, seconds, find }] of steps.entries()) {
        if (find) {
          store.find(`/${key}`, second * 1000);
        } else {
          store.keep(`/${key}`, answer(bytes), { now: second * 1000, seconds });
        }
        expect(store.size).toBeLessThanOrEqual(BOUNDS.maxEntries);
        expect(store.bytes).toBeLessThanOrEqual(BOUNDS.maxBytes);
        expect(store.bytes >= 0 && (store.size > 0 || store.bytes === 0)).toBe(true);
      }
    }),
  );
});

it('counts a compressed copy among its bytes', () => {
  const store = new AnswerStore(BOUNDS);
  store.keep('/a', answer(1_000), { now: 0, seconds: 60 });
  const plain = store.bytes;
  store.keep('/a', { ...answer(1_000), gzip: new Blob([new Uint8Array(300)]) }, { now: 0, seconds: 60 });
  expect(store.bytes).toBe(plain + 300);
});
