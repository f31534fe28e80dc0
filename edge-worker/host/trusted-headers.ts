/** Settings of the headers that the proxy before this edge vouches for. */

import { z } from 'zod';
import type { TrustedHeaders } from '../../shared/access/trusted-headers.ts';

/** Proxies in a row before an edge: more are a mistake. */
const MAX_HOPS = 10;
/** A field name of RFC 9110 §5.1. */
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/;

const headerName = z.string().regex(HEADER_NAME, 'is not the name of a header');
const geoHeadersSchema = z.strictObject({
  country: headerName.optional(),
  continent: headerName.optional(),
  region: headerName.optional(),
  asn: headerName.optional(),
});

/** The variables, each absent or empty unless a proxy stands before the edge. */
export const trustedHeaderVariables = {
  /** Header of the viewer's address; without it no address is known. */
  RILL_ADDRESS_HEADER: z.union([z.literal(''), headerName]).default(''),
  /** Proxies that add to that header. */
  RILL_PROXY_HOPS: z.coerce.number().int().min(1).max(MAX_HOPS).default(1),
  /** `country=NAME,continent=NAME,region=NAME,asn=NAME`, any of them. */
  RILL_GEO_HEADERS: z.string().default('').transform(readPairs).pipe(geoHeadersSchema),
};

/** What a Worker is told of the variables. */
export function trustedHeadersOf(settings: {
  readonly RILL_ADDRESS_HEADER: string;
  readonly RILL_PROXY_HOPS: number;
  readonly RILL_GEO_HEADERS: z.infer<typeof geoHeadersSchema>;
}): TrustedHeaders {
  const { RILL_ADDRESS_HEADER: address, RILL_PROXY_HOPS: hops, RILL_GEO_HEADERS: geo } = settings;
  return { ...geo, ...(address === '' ? {} : { address, hops }) };
}

function readPairs(text: string, context: z.RefinementCtx): z.input<typeof geoHeadersSchema> {
  const pairs = text === '' ? [] : text.split(',').map((pair) => pair.trim().split('='));
  const names = pairs.map(([name]) => name);
  if (pairs.some((pair) => pair.length !== 2) || new Set(names).size !== names.length) {
    context.addIssue({ code: 'custom', message: 'is not a list like country=X-Geo-Country,asn=X-Geo-ASN' });
    return z.NEVER;
  }
  return Object.fromEntries(pairs);
}
