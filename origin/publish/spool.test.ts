import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSpoolFileName, spoolFileName } from './spool.ts';

describe('a spool file name', () => {
  it('reads back as what it was rendered from, and is one path segment', () => {
    fc.assert(
      fc.property(
        fc.record({
          key: fc.stringMatching(/^[a-z0-9/._-]{1,180}$/),
          contentType: fc.constantFrom('video/mp4', 'text/plain; charset=utf-8'),
          size: fc.nat(),
          order: fc.nat(),
        }),
        (entry) => {
          const name = spoolFileName(entry);
          expect(name).not.toContain('/');
          expect(parseSpoolFileName(name)).toEqual(entry);
        },
      ),
    );
  });

  it('sorts by order', () => {
    const named = [10, 9, 100].map((order) =>
      spoolFileName({ order, size: 1, contentType: 'a/b', key: 'k' }),
    );
    expect(named.toSorted().map((name) => parseSpoolFileName(name)?.order)).toEqual([9, 10, 100]);
  });

  it('is not found in any other text', () => {
    fc.assert(fc.property(fc.string(), (text) => parseSpoolFileName(text) === undefined));
    expect(parseSpoolFileName('000000000000001-1-a@%E0%A4%A')).toBeUndefined();
  });
});
