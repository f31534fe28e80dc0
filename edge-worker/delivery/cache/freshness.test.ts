import { expect, it } from 'vitest';
import { cacheControl } from '../cache-policy.ts';
import { freshSeconds } from './freshness.ts';

it.each<[string, number]>([
  [cacheControl({ kind: 'media' }), 31_536_000],
  [cacheControl({ kind: 'blocking-playlist', targetDuration: 2 }), 12],
  [cacheControl({ kind: 'plain-playlist' }), 0.05],
  [cacheControl({ kind: 'multivariant-playlist', targetDuration: 6 }), 3],
  [cacheControl({ kind: 'refusal' }), 1],
  [cacheControl({ kind: 'failure' }), 0],
  ['', 0],
  ['public', 0],
  ['private, max-age=60', 0],
  ['no-cache, max-age=60', 0],
  ['MAX-AGE="5"', 5],
  ['max-age=-1', 0],
  ['max-age=1e9', 0],
  ['max-age=9999999999', 31_536_000],
  ['max-age=60, s-maxage=0', 0],
])('keeps an answer under "%s" for %i s', (header, seconds) => {
  expect(freshSeconds(200, new Headers({ 'cache-control': header }))).toBe(seconds);
});

it('keeps no piece, nothing that varies and nothing that sets a cookie', () => {
  const long = { 'cache-control': 'max-age=60' };
  expect(freshSeconds(206, new Headers(long))).toBe(0);
  expect(freshSeconds(200, new Headers({ ...long, vary: 'Accept-Encoding' }))).toBe(0);
  expect(freshSeconds(200, new Headers({ ...long, 'set-cookie': 'a=b' }))).toBe(0);
});

it('keeps a refusal for a quarter of a second, and no longer than it says itself', () => {
  expect(freshSeconds(404, new Headers({ 'cache-control': 'max-age=1, stale-if-error=600' }))).toBe(0.25);
  expect(freshSeconds(404, new Headers({ 'cache-control': 'max-age=0' }))).toBe(0);
});
