/** How long a relay gives a hub's answer to others: a hub writes no Cache-Control, since delivery does that. */

/** A hub's answer to this is what everyone asks for next, and nothing else afterwards. */
const RELOAD_SECONDS = 6;
/** What changes with the live edge and does not name a place in it. */
const SHORT_SECONDS = 1;
/** Until others need the room: a media file's name is never used for other bytes. */
const MEDIA_SECONDS = 3_600;

/** Seconds for which a relay keeps an answer of its hub; `pathAndQuery` is the canonical one. */
export function relaySeconds(pathAndQuery: string, status: number): number {
  if (status === 400 || status === 404) {
    return SHORT_SECONDS;
  }
  if (status !== 200) {
    return 0;
  }
  const [path = '', query = ''] = pathAndQuery.split('?', 2);
  if (!path.endsWith('.m3u8')) {
    return MEDIA_SECONDS;
  }
  return /(?:^|&)_HLS_msn=/.test(query) ? RELOAD_SECONDS : SHORT_SECONDS;
}

/**
 * The reload without directives that a whole blocking answer answers too: both are the current playlist
 * (rfc8216bis §6.2.5.2), so a relay whose region plays has a copy of it that is never older than the last part.
 */
export function plainReload(pathAndQuery: string): string | undefined {
  const [path = '', query = ''] = pathAndQuery.split('?', 2);
  return /(?:^|&)_HLS_msn=/.test(query) && !query.includes('_HLS_skip=') ? path : undefined;
}
