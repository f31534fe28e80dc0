import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIpAddress } from './ip-address.ts';
import { hasIpAddress, ipPrefixSet, parseIpPrefix } from './ip-prefix.ts';

function words(text: string): number[] | undefined {
  const address = parseIpAddress(text);
  return address === undefined ? undefined : [...address];
}

function isIn(address: string, ...prefixes: readonly string[]): boolean {
  const ranges = prefixes.map((prefix) => parseIpPrefix(prefix)).filter((range) => range !== undefined);
  expect(ranges).toHaveLength(prefixes.length);
  const parsed = parseIpAddress(address);
  return parsed !== undefined && hasIpAddress(ipPrefixSet(ranges), parsed);
}

describe('an address in text', () => {
  it.each([
    ['0.0.0.0', [0]],
    ['255.255.255.255', [0xffff_ffff]],
    ['192.0.2.1', [0xc000_0201]],
    ['::', [0, 0, 0, 0]],
    ['::1', [0, 0, 0, 1]],
    ['2001:DB8::ff00:42:8329', [0x2001_0db8, 0, 0xff00, 0x0042_8329]],
    ['1:2:3:4:5:6:7:8', [0x1_0002, 0x3_0004, 0x5_0006, 0x7_0008]],
    ['64:ff9b::192.0.2.1', [0x64_ff9b, 0, 0, 0xc000_0201]],
  ])('%s is read', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it('is v4 where IPv6 carries it mapped, in either notation', () => {
    expect(words('::ffff:192.0.2.1')).toEqual([0xc000_0201]);
    expect(words('::FFFF:c000:201')).toEqual([0xc000_0201]);
    expect(words('0:0:0:0:0:ffff:c000:0201')).toEqual([0xc000_0201]);
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '0x7f.0.0.1',
    '256.1.1.1',
    '1.2.3.-4',
    '2130706433',
    ' 1.2.3.4',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8:9',
    '12345::',
    'g::',
    'fe80::1%eth0',
    '::1.2.3',
    '1.2.3.4::',
    '[::1]',
    '１.2.3.4',
    '0'.repeat(1000),
  ])('%j is none', (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });

  it('never throws on garbage', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('0', '1', 'f', ':', '.', '/', '%', 'x', ' ') }),
        (text) => {
          parseIpAddress(text);
          parseIpPrefix(text);
        },
      ),
    );
  });
});

describe('a prefix', () => {
  it('covers what shares its leading bits', () => {
    expect(isIn('10.255.0.1', '10.0.0.0/8')).toBe(true);
    expect(isIn('11.0.0.0', '10.0.0.0/8')).toBe(false);
    expect(isIn('203.0.113.9', '0.0.0.0/0')).toBe(true);
    expect(isIn('2001:db8:ffff::1', '2001:db8::/32')).toBe(true);
    expect(isIn('2001:db9::', '2001:db8::/32')).toBe(false);
    expect(isIn('2001:db8:0:8000::', '2001:db8::/48')).toBe(true);
    expect(isIn('2001:db8:0:8000::', '2001:db8::/49')).toBe(false);
  });

  it('of v6 covers no v4 address, and a mapped one covers v4', () => {
    expect(isIn('10.0.0.1', '::/0')).toBe(false);
    expect(isIn('::ffff:10.0.0.1', '::/0')).toBe(false);
    expect(isIn('10.0.0.1', '::ffff:10.0.0.0/104')).toBe(true);
    expect(isIn('::ffff:10.0.0.1', '10.0.0.0/8')).toBe(true);
  });

  it('without a length is one address', () => {
    expect(isIn('10.0.0.1', '10.0.0.1')).toBe(true);
    expect(isIn('10.0.0.2', '10.0.0.1')).toBe(false);
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '::/129',
    '::ffff:10.0.0.0/95',
    '/8',
    'x/8',
  ])('%j is none', (text) => {
    expect(parseIpPrefix(text)).toBeUndefined();
  });

  it('is canonical when no bit beyond its length is set', () => {
    expect(parseIpPrefix('10.0.0.0/8')?.isCanonical).toBe(true);
    expect(parseIpPrefix('10.0.0.1/8')?.isCanonical).toBe(false);
    expect(parseIpPrefix('10.0.0.1')?.isCanonical).toBe(true);
  });
});

it('a set of prefixes answers like its prefixes one by one', () => {
  const prefix = fc
    .tuple(fc.integer({ min: 0, max: 0xf }), fc.integer({ min: 24, max: 32 }))
    .map(([low, length]) => `10.0.0.${low}/${length}`);
  fc.assert(
    fc.property(fc.array(prefix, { maxLength: 20 }), fc.integer({ min: 0, max: 0x1f }), (prefixes, low) => {
      const address = `10.0.0.${low}`;
      expect(isIn(address, ...prefixes)).toBe(prefixes.some((each) => isIn(address, each)));
    }),
  );
});
