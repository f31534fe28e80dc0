/** The request that delivery and its cache see: path and delivery directives, nothing of the viewer. */

import { liveResourcePath, type LiveResource } from '../resource.ts';

/**
 * The delivery directives that the hub knows, in the order in which they stand in a canonical URL. Others are
 * ignored by a server, rfc8216bis §6.2.5, so they are left out and cannot split the cache.
 */
const DIRECTIVES = ['_HLS_msn', '_HLS_part', '_HLS_skip'];

/** Scheme and host of canonical URLs: the same under whatever name the viewer reached the edge. */
const DELIVERY_ORIGIN = 'https://delivery.rill';

/** Makes the canonical request of a resource; of the viewer's query only directives of a playlist remain. */
export function canonicalRequest(resource: LiveResource, query: URLSearchParams): Request {
  const url = new URL(liveResourcePath(resource), DELIVERY_ORIGIN);
  if (resource.kind === 'media-playlist') {
    for (const directive of DIRECTIVES) {
      for (const value of query.getAll(directive).sort()) {
        url.searchParams.append(directive, value);
      }
    }
  }
  return new Request(url);
}
