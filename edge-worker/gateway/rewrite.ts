/** What differs per viewer in a playlist: parameters on its URIs, where playback starts, and what may be seen. */

import { attributePositions } from './attribute-list.ts';
import { appendParameters, type UriContext, type UriParameter } from './rewrite-uri.ts';
import { readVariables } from './rewrite-variables.ts';
import { limitHeight } from './rewrite-variants.ts';

/** What one viewer's copy of a playlist differs in; the shared copy is never touched. */
export interface ViewerChange {
  /** Goes on every URI: the token that came in the query. */
  readonly everywhere: readonly UriParameter[];
  /** Goes on the URIs of playlists alone: a session in a media URL would defeat caches before the edge. */
  readonly onPlaylists: readonly UriParameter[];
  /** Largest picture height, luma samples; for a multivariant playlist. */
  readonly maxHeight?: number | undefined;
  /** TIME-OFFSET of EXT-X-START, seconds, from the end where negative; for a multivariant playlist. */
  readonly startOffset?: number | undefined;
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
  const limited = change.maxHeight === undefined ? playlist : limitHeight(playlist, change.maxHeight);
  if (limited === undefined) {
    return undefined;
  }
  const started = change.startOffset === undefined ? limited : startAt(limited, change.startOffset);
  return change.everywhere.length + change.onPlaylists.length === 0
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
  const isMultivariant = playlist.includes('#EXT-X-STREAM-INF:');
  const forPlaylists = [...change.everywhere, ...change.onPlaylists];
  const onLines = isMultivariant ? forPlaylists : change.everywhere;
  let rewritten = '';
  let copied = 0;
  for (const [start, end] of uriPositions(playlist)) {
    const isLine = playlist[start - 1] !== '"';
    const onAttribute = PLAYLIST_TAG.test(lineFrom(playlist, start)) ? forPlaylists : change.everywhere;
    const uri = appendParameters(playlist.slice(start, end), isLine ? onLines : onAttribute, context);
    rewritten += playlist.slice(copied, start) + uri;
    copied = end;
  }
  return rewritten + playlist.slice(copied);
}

/** Where the URIs of a playlist stand: whole lines, and URI attributes without their quotes. */
function* uriPositions(playlist: string): Generator<readonly [start: number, end: number]> {
  for (let at = 0; at < playlist.length;) {
    const feed = playlist.indexOf('\n', at);
    const next = feed < 0 ? playlist.length : feed;
    const end = playlist[next - 1] === '\r' ? next - 1 : next;
    if (playlist.startsWith('#', at)) {
      yield* uriAttribute(playlist, at, end);
    } else if (end > at) {
      yield [at, end];
    }
    at = next + 1;
  }
}

function* uriAttribute(
  playlist: string,
  from: number,
  end: number,
): Generator<readonly [start: number, end: number]> {
  if (!playlist.startsWith('#EXT-X-', from)) {
    return;
  }
  const line = playlist.slice(from, end);
  if (!line.includes('URI="')) {
    return;
  }
  for (const attribute of attributePositions(line)) {
    const value = line.slice(attribute.start, attribute.end);
    if (attribute.name === 'URI' && value.length > 1 && value.startsWith('"') && value.endsWith('"')) {
      yield [from + attribute.start + 1, from + attribute.end - 1];
      return;
    }
  }
}

/** The tag's line up to a position inside it. */
function lineFrom(playlist: string, position: number): string {
  return playlist.slice(playlist.lastIndexOf('\n', position - 1) + 1, position);
}
