/** Which of delivery's headers a viewer gets. */

import type { FoundToken } from './find-token.ts';

const VIEWER_HEADERS = [
  'accept-ranges',
  'age',
  'cache-control',
  'cache-status',
  'content-length',
  'content-type',
  'etag',
  'retry-after',
];

/** Takes a viewer's headers from those of delivery's answer; `found` is the viewer's token. */
export function viewerHeaders(
  delivered: Readonly<Record<string, string>>,
  found: FoundToken | undefined,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of VIEWER_HEADERS) {
    const value = delivered[name];
    if (value !== undefined) {
      headers[name] = value;
    }
  }
  if (isHidden(found)) {
    // Here the URL alone opens nothing, so no cache that others share may answer with it.
    headers['cache-control'] = (headers['cache-control'] ?? 'no-store').replace(/^public/, 'private');
  }
  return headers;
}

/** Whether a token travels beside the URL. */
export function isHidden(found: FoundToken | undefined): boolean {
  return found?.place === 'header' || found?.place === 'cookie';
}
