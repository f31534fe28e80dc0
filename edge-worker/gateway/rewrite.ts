/** What differs per viewer in a playlist: parameters on its URIs, where playback starts, and what may be seen. */

import { attributePositions } from './attribute-list.ts';
import { trimToTimeShift, type TimeShiftLimit } from './rewrite-time-shift.ts';
import { appendSuffix, makeSuffix, type UriContext, type UriParameter } from './rewrite-uri.ts';
import { readVariables } from './rewrite-variables.ts';
import { limitVariants, type VariantLimits } from './rewrite-variants.ts';

/** What one viewer's copy of a playlist differs in; the shared copy is never touched. */
export interface ViewerChange extends VariantLimits {
  /** Goes on every URI: the token that came in the query. */
  readonly everywhere: readonly UriParameter[];
  /** Goes on the URIs of playlists alone: a session in a media URL would defeat caches before the edge. */
  readonly onPlaylists: readonly UriParameter[];
  /** Relative path of the folder that URIs of a multivariant playlist lead into: that of a session's own token. */
  readonly folder?: string | undefined;
  /** TIME-OFFSET of EXT-X-START, seconds, from the end where negative; for a multivariant playlist. */
  readonly startOffset?: number | undefined;
  /** How far back a media playlist goes. */
  readonly timeShift?: TimeShiftLimit | undefined;
}

const START = /^#EXT-X-START:.*\r?\n?/gm;
const HEADER = /^#EXTM3U\r?\n(?:#EXT-X-VERSION:.*\r?\n)?/;
/** Tags whose URI names a media playlist, rfc8216bis §4.4.5.4, §4.4.6.1, §4.4.6.3. */
const PLAYLIST_TAG = /^#EXT-X-(?:RENDITION-REPORT|MEDIA|I-FRAME-STREAM-INF):/;

/**
 * Rewrites a playlist for one viewer; `base` is its URL as the viewer asked for it. `undefined` where the viewer may
 * see no variant of it.
 */
export function rewritePlaylist(playlist: string, change: ViewerChange, base: URL): string | undefined {
  const isLimited = change.maxHeight !== undefined || change.maxBitrate !== undefined;
  const within = change.timeShift === undefined ? playlist : trimToTimeShift(playlist, change.timeShift);
  const limited = isLimited ? limitVariants(within, change) : within;
  if (limited === undefined) {
    return undefined;
  }
  const started = change.startOffset === undefined ? limited : startAt(limited, change.startOffset);
  return change.everywhere.length + change.onPlaylists.length === 0 && change.folder === undefined
    ? started
    : appendToUris(started, change, base);
}

/** Sets EXT-X-START, rfc8216bis §4.4.2.2, in place of one that is there. */
function startAt(playlist: string, offset: number): string {
  return playlist
    .replace(START, '')
    .replace(HEADER, (header) => `${header}#EXT-X-START:TIME-OFFSET=${offset.toFixed(3)}\n`);
}

/** One pass over the text: what lies between two URIs is copied as one piece. */
function appendToUris(playlist: string, change: ViewerChange, base: URL): string {
  const context: UriContext = { base, variables: readVariables(playlist, base) };
  const onMedia = makeSuffix(change.everywhere);
  const onPlaylists = makeSuffix([...change.everywhere, ...change.onPlaylists], change.folder);
  const onLines = playlist.includes('#EXT-X-STREAM-INF:') ? onPlaylists : onMedia;
  const pieces: string[] = [];
  let copied = 0;
  for (let at = 0; at < playlist.length;) {
    const end = lineEnd(playlist, at);
    const isTag = playlist.startsWith('#', at);
    const [from, to] = isTag ? uriAttribute(playlist, at, end) : [at, end];
    if (to > from) {
      const suffix = isTag && PLAYLIST_TAG.test(playlist.slice(at, from)) ? onPlaylists : onMedia;
      const uri = appendSuffix(playlist.slice(from, to), isTag ? suffix : onLines, context);
      pieces.push(playlist.slice(copied, from), uri);
      copied = to;
    }
    at = playlist.startsWith('\r\n', end) ? end + 2 : end + 1;
  }
  pieces.push(playlist.slice(copied));
  return pieces.join('');
}

/** Where the line that begins at a position ends, its line break not counted. */
function lineEnd(playlist: string, at: number): number {
  const feed = playlist.indexOf('\n', at);
  const end = feed < 0 ? playlist.length : feed;
  return end > at && playlist[end - 1] === '\r' ? end - 1 : end;
}

/** Where the URI of a tag's line stands, without its quotes; nothing (both alike) where it has none. */
function uriAttribute(playlist: string, at: number, end: number): readonly [from: number, to: number] {
  const line = playlist.startsWith('#EXT-X-', at) ? playlist.slice(at, end) : '';
  if (!line.includes('URI="')) {
    return [at, at];
  }
  for (const { name, start, end: stop } of attributePositions(line)) {
    const value = line.slice(start, stop);
    if (name === 'URI' && value.length > 1 && value.startsWith('"') && value.endsWith('"')) {
      return [at + start + 1, at + stop - 1];
    }
  }
  return [at, at];
}
