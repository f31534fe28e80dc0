import { expect, it } from 'vitest';
import { cacheControl, type CacheSubject } from './cache-policy.ts';

it.each<[CacheSubject, string]>([
  [{ kind: 'media' }, 'public, max-age=31536000, immutable'],
  [{ kind: 'blocking-playlist', targetDuration: 2 }, 'public, max-age=12, stale-if-error=0'],
  [{ kind: 'blocking-playlist', targetDuration: 1e9 }, 'public, max-age=360, stale-if-error=0'],
  [{ kind: 'plain-playlist' }, 'public, max-age=0, s-maxage=1, stale-if-error=0'],
  [{ kind: 'multivariant-playlist', targetDuration: 2 }, 'public, max-age=1, stale-if-error=0'],
  [{ kind: 'multivariant-playlist', targetDuration: 6 }, 'public, max-age=3, stale-if-error=0'],
  [{ kind: 'refusal' }, 'public, max-age=1, stale-if-error=0'],
  [{ kind: 'failure' }, 'no-store'],
])('caches %o as %s', (subject, expected) => {
  expect(cacheControl(subject)).toBe(expected);
});
