/** The request that delivery and its cache see: path and delivery directives, nothing of the viewer. */

import { liveResourcePath, type LiveResource } from '../resource.ts';
import type { Address } from './address.ts';

/**
 * The delivery directives that the hub knows, in the order in which they stand in a canonical URL. Others are
 * ignored by a server, rfc8216bis §6.2.5, so they are left out and cannot split the cache.
 */
const DIRECTIVES = ['_HLS_msn', '_HLS_part', '_HLS_skip'];

/** Scheme and host of canonical URLs: the same under whatever name the viewer reached the edge. */
const DELIVERY_ORIGIN = 'https://delivery.rill';

/** A query that is canonical already, as players write it. */
const CANONICAL_QUERY = /^(?:\?_HLS_msn=[0-9]+(?:&_HLS_part=[0-9]+)?(?:&_HLS_skip=(?:YES|v2))?)?$/;

/** Path and query under which a resource is cached; of the viewer's query only directives of a playlist remain. */
export function canonicalPath(
  resource: LiveResource,
  query: Pick<Address, 'search' | 'searchParams'>,
): string {
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

function directiveQuery(query: Pick<Address, 'search' | 'searchParams'>): string {
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
