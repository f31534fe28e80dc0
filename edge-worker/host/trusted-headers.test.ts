import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { trustedHeadersOf, trustedHeaderVariables } from './trusted-headers.ts';

const schema = z.object(trustedHeaderVariables);

describe('the headers that a proxy vouches for', () => {
  it('are none unless they are named', () => {
    expect(trustedHeadersOf(schema.parse({}))).toEqual({});
    const empty = { RILL_ADDRESS_HEADER: '', RILL_GEO_HEADERS: '', RILL_PROXY_HOPS: '2' };
    expect(trustedHeadersOf(schema.parse(empty))).toEqual({});
  });

  it('are read from the environment', () => {
    const environment = {
      RILL_ADDRESS_HEADER: 'X-Forwarded-For',
      RILL_PROXY_HOPS: '2',
      RILL_GEO_HEADERS: 'country=X-Geo-Country, region=X-Geo-Region,asn=X-Geo-ASN',
    };
    expect(trustedHeadersOf(schema.parse(environment))).toEqual({
      address: 'X-Forwarded-For',
      hops: 2,
      country: 'X-Geo-Country',
      region: 'X-Geo-Region',
      asn: 'X-Geo-ASN',
    });
  });

  it.each([
    { RILL_ADDRESS_HEADER: 'X Forwarded For' },
    { RILL_ADDRESS_HEADER: 'x-real-ip,x-forwarded-for' },
    { RILL_PROXY_HOPS: '0' },
    { RILL_PROXY_HOPS: '11' },
    { RILL_PROXY_HOPS: 'one' },
    { RILL_GEO_HEADERS: 'X-Geo-Country' },
    { RILL_GEO_HEADERS: 'country=' },
    { RILL_GEO_HEADERS: 'city=X-Geo-City' },
    { RILL_GEO_HEADERS: 'country=X-A,country=X-B' },
    { RILL_GEO_HEADERS: 'country=X-A,' },
  ])('are refused as %j', (environment) => {
    expect(schema.safeParse(environment).success).toBe(false);
  });
});
