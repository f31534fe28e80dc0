/** The request that delivery and its cache see: path and delivery directives, nothing of the viewer. */

import { liveResourcePath, type LiveResource } from '../resource.ts';
import type { Address } from './address.ts';

/**
 * The delivery directives that the hub knows, in the order in which they stand in a canonical URL. Others are
 * ignored by a server, rfc8216bis §6.2.5, so they are left out and cannot split the cache.
 */
const SKIP = '_HLS_skip';
const DIRECTIVES = ['_HLS_msn', '_HLS_part', SKIP];

/** Scheme and host of canonical URLs: the same under whatever name the viewer reached the edge. */
const DELIVERY_ORIGIN = 'https://delivery.rill';

/** What of an address is a query. */
export type Query = Pick<Address, 'search' | 'searchParams'>;

/** A query that is canonical already, as players write it. */
const CANONICAL_QUERY = /^(?:\?_HLS_msn=[0-9]+(?:&_HLS_part=[0-9]+)?(?:&_HLS_skip=(?:YES|v2))?)?$/;

/** Path and query under which a resource is cached; of the viewer's query only directives of a playlist remain. */
export function canonicalPath(resource: LiveResource, query: Query): string {
  const path = liveResourcePath(resource);
  return resource.kind === 'media-playlist' ? path + directiveQuery(query) : path;
}

/** Whether a query holds directives alone, in canonical order; neither a token nor anything else is in it. */
export function isCanonicalQuery(search: string): boolean {
  return CANONICAL_QUERY.test(search);
}

/** Makes the canonical request of a path. */
export function canonicalRequest(path: string): Request {
  return new Request(DELIVERY_ORIGIN + path);
}

/** Whether a delta update is asked for in a way that the hub would follow, rfc8216bis §6.2.5.1. */
export function asksForDelta(query: URLSearchParams): boolean {
  const [value, ...others] = query.getAll(SKIP);
  return (value === 'YES' || value === 'v2') && others.length === 0;
}

/** The same query, asking for the whole playlist: what a delta update leaves out cannot be measured. */
export function askForWhole(query: Query): Query {
  if (!asksForDelta(query.searchParams)) {
    return query;
  }
  const searchParams = new URLSearchParams(query.searchParams);
  searchParams.delete(SKIP);
  return { search: `?${searchParams.toString()}`, searchParams };
}

function directiveQuery(query: Query): string {
  if (isCanonicalQuery(query.search)) {
    return query.search;
  }
  const pairs = DIRECTIVES.flatMap((name) =>
    query.searchParams
      .getAll(name)
      .sort()
      .map((value) => `${name}=${encodeURIComponent(value)}`),
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}
