import { encode } from 'cborg';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCatGrant } from './cat-claims.ts';
import { readCbor } from './cbor.ts';
import { readCose } from './cose.ts';
import { fitsEvery, readMatchRules } from './match-rule.ts';
import { URI_COMPONENTS, uriComponent } from './uri-component.ts';

describe('CBOR of tokens', () => {
  it('is read as it was written', () => {
    const value = new Map<unknown, unknown>([
      [1, 'a'],
      [-7, Uint8Array.of(1, 2)],
      ['list', [1, 2.5, true, null]],
    ]);
    expect(readCbor(encode(value))).toEqual({ ok: true, value });
  });

  it('is refused deeper than eight levels, before it is decoded', () => {
    expect(readCbor(nested(8)).ok).toBe(true);
    expect(readCbor(nested(9))).toMatchObject({ ok: false, failure: { detail: 'deeper than 8 levels' } });
    expect(readCbor(nested(3000)).ok).toBe(false);
    expect(readCbor(new Uint8Array(3000).fill(0xc1)).ok).toBe(false);
    expect(readCbor(new Uint8Array(3000).fill(0xd8)).ok).toBe(false);
  });

  it.each([
    ['an array of four thousand million', [0x9a, 0xff, 0xff, 0xff, 0xff]],
    ['a map of 2^64 pairs', [0xbb, 255, 255, 255, 255, 255, 255, 255, 255]],
    ['bytes that are not there', [0x5a, 0x00, 0x10, 0x00, 0x00]],
    ['indefinite length', [0x9f, 0xff]],
    ['reserved heads', [0x1c]],
    ['bytes after the end', [0x01, 0x01]],
    ['a key that comes twice', [0xa2, 0x01, 0x01, 0x01, 0x02]],
    ['NaN', [0xf9, 0x7e, 0x00]],
    ['a tag that tokens do not have', [0xc2, 0x41, 0x01]],
    ['nothing', []],
  ])('is refused with %s', (_name, bytes) => {
    expect(readCbor(Uint8Array.from(bytes)).ok).toBe(false);
  });

  it('is refused or read, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(typeof readCbor(bytes).ok).toBe('boolean');
        expect(typeof readCose(Uint8Array.from(bytes)).ok).toBe('boolean');
      }),
    );
  });

  it('of claims is a grant or a denial, whatever the claims', () => {
    const label = fc.oneof(
      fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 308, 310, 311, 312, 313, 314, 315, 316, 320, 322, 323),
      fc.integer(),
    );
    const leaf = fc.oneof(
      fc.integer(),
      fc.string(),
      fc.uint8Array({ maxLength: 20 }),
      fc.double(),
      fc.constant(null),
    );
    const value = fc.oneof(
      leaf,
      fc.array(leaf),
      fc.array(fc.tuple(leaf, leaf)).map((entries) => new Map(entries)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(label, value)), (entries) => {
        expect(typeof readCatGrant(new Map<unknown, unknown>([...entries, [4, 1]])).ok).toBe('boolean');
      }),
    );
  });
});

describe('matches', () => {
  it('all have to hold', () => {
    const rules = readMatchRules(
      new Map([
        [1, '/live/'],
        [2, '.m3u8'],
      ]),
    );
    expect(
      rules.ok && [fitsEvery(rules.value, '/live/a.m3u8'), fitsEvery(rules.value, '/live/a.mp4')],
    ).toEqual([true, false]);
  });

  it.each([
    '(a+)+',
    '(a|aa)+$',
    'a*a*a*',
    '(?=a)',
    '(?:a)',
    '(a)\\1',
    '\\d',
    'a{1,100000}',
    'a'.repeat(300),
    '[',
    '(',
    'a**',
  ])('are refused as expressions whose time is not bounded or whose dialect is another: %s', (expression) => {
    expect(readMatchRules(new Map([[4, expression]])).ok).toBe(false);
  });

  it('take bounded time, whatever expression is read and whatever it is held against', () => {
    const pieces = fc.constantFrom(
      'a',
      'b',
      '.',
      '*',
      '+',
      '?',
      '(',
      ')',
      '[',
      ']',
      '^',
      '$',
      '|',
      '{1,3}',
      '{2,}',
      '\\.',
      '[^a]',
      '[a-z]',
    );
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 12 }),
        fc.constantFrom('a'.repeat(512), 'ab'.repeat(256)),
        (parts, subject) => {
          const rules = readMatchRules(new Map([[4, parts.join('')]]));
          const started = performance.now();
          if (rules.ok) {
            fitsEvery(rules.value, subject);
          }
          expect(performance.now() - started).toBeLessThan(1000);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('components of a URI', () => {
  it('are those of RFC 3986 with the file name split at its last dot', () => {
    const url = new URL('https://edge.example/live/show/7-1.0.m4s?_HLS_msn=1');
    expect(URI_COMPONENTS.map((component) => uriComponent(url, component))).toEqual([
      ...['https', 'edge.example', '443', '/live/show/7-1.0.m4s', '_HLS_msn=1'],
      ...['/live/show', '7-1.0.m4s', '7-1.0', '.m4s'],
    ]);
  });
});

function nested(depth: number): Uint8Array {
  return Uint8Array.from([...Array.from({ length: depth }, () => 0x81), 0x01]);
}
