import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TrustedHeaders } from '../../shared/access/trusted-headers.ts';
import { placeOf } from './place.ts';

const NOWHERE = {
  country: undefined,
  continent: undefined,
  region: undefined,
  asn: undefined,
  address: undefined,
};
/** Every header in which somebody might tell an address or a place. */
const CLAIMS = {
  'cf-connecting-ip': '203.0.113.9',
  'true-client-ip': '203.0.113.9',
  'x-forwarded-for': '203.0.113.9',
  'x-real-ip': '203.0.113.9',
  forwarded: 'for=203.0.113.9',
  'cf-ipcountry': 'DE',
  'x-geo-country': 'DE',
  'x-geo-region': 'BY',
  'x-geo-asn': '3320',
};

function place(headers: HeadersInit, trusted?: TrustedHeaders, cf: object = {}): ReturnType<typeof placeOf> {
  const request = new Request('https://edge.example/live/news/index.m3u8', { headers });
  Object.defineProperty(request, 'cf', { value: cf });
  return placeOf(request, trusted === undefined ? {} : { RILL_TRUSTED_HEADERS: trusted });
}

function address(headers: HeadersInit, trusted: TrustedHeaders): string | undefined {
  return place(headers, trusted).address;
}

describe('a place on Cloudflare', () => {
  const cf = { country: 'DE', continent: 'EU', regionCode: 'BY', asn: 3320 };

  it('is what the platform says, and nothing that another header claims', () => {
    const told = { country: 'DE', continent: 'EU', region: 'DE-BY', asn: 3320 };
    expect(place({ ...CLAIMS, 'x-geo-country': 'FR' }, undefined, cf)).toEqual({
      ...told,
      address: '203.0.113.9',
    });
    expect(place({ 'x-forwarded-for': '203.0.113.9' }, undefined, cf)).toEqual({
      ...told,
      address: undefined,
    });
  });

  it.each([
    [{ country: 'XX' }],
    [{ country: 'T1' }],
    [{ country: 'de-by', regionCode: 'BY' }],
    [{ regionCode: 'BY' }],
    [{ country: 7, continent: 'XX', asn: 0 }],
    [{ asn: 4_294_967_296 }],
    [{ asn: Number.NaN }],
  ])('is not known for %j', (unknown) => {
    expect(place({}, undefined, unknown)).toEqual(NOWHERE);
  });
});

describe('a place on a self-hosted edge', () => {
  it('is not known by default, whatever headers claim', () => {
    expect(place(CLAIMS, {})).toEqual(NOWHERE);
  });

  it('is what the host was told of all requests where no header tells', () => {
    expect(place(CLAIMS, {}, { country: 'FR', regionCode: 'IDF' })).toMatchObject({
      country: 'FR',
      region: 'FR-IDF',
    });
  });

  it('is what the headers of the proxy say, and no other', () => {
    const trusted = {
      country: 'X-Geo-Country',
      region: 'X-Geo-Region',
      asn: 'X-Geo-ASN',
      address: 'X-Real-IP',
    };
    expect(place(CLAIMS, trusted, { country: 'FR', continent: 'EU' })).toEqual({
      country: 'DE',
      continent: undefined,
      region: 'DE-BY',
      asn: 3320,
      address: '203.0.113.9',
    });
    expect(place({ 'x-real-ip': '203.0.113.9' }, trusted, { country: 'FR' })).toMatchObject({
      country: undefined,
    });
  });

  it('is the proxy’s own word behind a value that a viewer sent', () => {
    const headers = new Headers({ 'x-geo-country': 'FR' });
    headers.append('x-geo-country', 'DE');
    expect(place(headers, { country: 'x-geo-country' }).country).toBe('DE');
  });

  it.each(['DE-BY', 'BY', 'by', 'de-by'])('reads the region %s', (region) => {
    const trusted = { country: 'x-geo-country', region: 'x-geo-region' };
    expect(place({ 'x-geo-country': 'de', 'x-geo-region': region }, trusted).region).toBe('DE-BY');
  });

  it.each(['FR-BY', 'DE-', 'BAYERN', '-', ''])('does not read the region "%s"', (region) => {
    const trusted = { country: 'x-geo-country', region: 'x-geo-region' };
    expect(place({ 'x-geo-country': 'DE', 'x-geo-region': region }, trusted).region).toBeUndefined();
  });

  it.each([
    ['AS3320', 3320],
    ['3320', 3320],
    ['0', undefined],
    ['4294967296', undefined],
    ['1e3', undefined],
    ['AS', undefined],
  ])('reads the autonomous system %s as %s', (text, asn) => {
    expect(place({ 'x-geo-asn': text }, { asn: 'x-geo-asn' }).asn).toBe(asn);
  });
});

describe('an address behind a proxy', () => {
  const trusted = { address: 'X-Forwarded-For' };

  it('is the last of the list: what comes before is the viewer’s own word', () => {
    expect(address({ 'x-forwarded-for': '198.51.100.1, 203.0.113.9' }, trusted)).toBe('203.0.113.9');
  });

  it.each([
    [1, '203.0.113.2'],
    [2, '203.0.113.1'],
    [3, '198.51.100.1'],
    [4, undefined],
  ])('is counted from the end over %d hops', (hops, expected) => {
    const list = { 'x-forwarded-for': '198.51.100.1,203.0.113.1 ,\t203.0.113.2' };
    expect(address(list, { ...trusted, hops })).toBe(expected);
  });

  it('is not known where a request came around the proxies', () => {
    expect(address({ 'x-forwarded-for': '203.0.113.9' }, { ...trusted, hops: 2 })).toBeUndefined();
    expect(address({}, trusted)).toBeUndefined();
  });

  it.each([
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::FFFF:cb00:7109', '203.0.113.9'],
    ['0:0:0:0:0:ffff:203.0.113.9', '203.0.113.9'],
    ['[::ffff:203.0.113.9]:4711', '203.0.113.9'],
    ['203.0.113.9:4711', '203.0.113.9'],
    ['2001:DB8::1', '2001:db8:0:0:0:0:0:1'],
    ['[2001:db8::1]', '2001:db8:0:0:0:0:0:1'],
    ['[2001:db8::1]:443', '2001:db8:0:0:0:0:0:1'],
  ])('reads %s as %s', (text, expected) => {
    expect(address({ 'x-forwarded-for': text }, trusted)).toBe(expected);
  });

  it.each([
    '',
    ',',
    'unknown',
    '_hidden',
    'localhost',
    '203.0.113.9,',
    '203.0.113.999',
    '0x7f.1',
    '2130706433',
    '203.0.113.09',
    '203.0.113.9 198.51.100.1',
    'fe80::1%eth0',
    ':::1',
    '[203.0.113.9',
    '2001:db8::1:443:1:1:1:1:1',
    '1'.repeat(5000),
  ])('is not known for "%s"', (text) => {
    expect(address({ 'x-forwarded-for': text }, trusted)).toBeUndefined();
  });

  it('never is what stands further from the end, whatever a viewer sends', () => {
    const words = fc.string({
      unit: fc.constantFrom(...Array.from('0123456789abf.:,[] %-')),
      maxLength: 200,
    });
    fc.assert(
      fc.property(words, (claimed) => {
        expect(address({ 'x-forwarded-for': `${claimed}, 203.0.113.9` }, trusted)).toBe('203.0.113.9');
      }),
    );
  });
});
