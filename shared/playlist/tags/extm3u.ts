/** EXTM3U, rfc8216bis §4.4.1.1: the first line of every playlist. */

/** EXTM3U. */
export interface Extm3uTag {
  readonly kind: 'extm3u';
}

/** Renders EXTM3U. */
export function renderExtm3u(): string {
  return '#EXTM3U';
}

/** Reads EXTM3U. */
export function parseExtm3u(): Extm3uTag {
  return { kind: 'extm3u' };
}
