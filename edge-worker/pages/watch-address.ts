/** The watch page's own address: which stream it shows, and under which URL that stream is played. */

/** What a watch page's address says. */
export interface WatchAddress {
  readonly stream: string;
  /** Path of the multivariant playlist; a token stands in the path, so relative URIs inherit it. */
  readonly playlist: string;
}

/**
 * Reads `/watch/{stream}?token=…`. Without a token the plain path is played, where a cookie may speak for the
 * viewer. The address itself stays as it is, so that the page can be loaded again.
 */
export function parseWatchAddress(href: string): WatchAddress {
  const url = new URL(href);
  const stream = url.pathname.split('/')[2] ?? '';
  const token = url.searchParams.get('token');
  const playlist = `/live/${stream}/index.m3u8`;
  if (token === null || token === '') {
    return { stream, playlist };
  }
  return { stream, playlist: `/t/${encodeURIComponent(token)}${playlist}` };
}

/** Where the player of a playlist tells how playback goes: under the token with which it plays. */
export function beaconAddress(playlist: string): string {
  return playlist.replace(/\/live\/.*$/, '/beacon');
}
