/** What differs per viewer in a playlist: a query token on each URI, and renditions above the grant's limit. */

import { attributePositions, readAttribute } from './attribute-list.ts';
import { TOKEN_PARAMETER } from './find-token.ts';

/** A URI that leaves the edge: scheme or network-path reference, RFC 3986 §4.2. */
const ELSEWHERE = /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i;

/** Adds a query token to every URI of a playlist, lines and URI attributes; never to one of another host. */
export function appendTokenToUris(playlist: string, token: string): string {
  return mapLines(playlist, (line) => {
    if (line === '') {
      return line;
    }
    return line.startsWith('#') ? appendTokenToAttribute(line, token) : appendToken(line, token);
  });
}

/** Leaves the variants (and I-frame playlists) out of a multivariant playlist whose picture is above a height. */
export function limitHeight(playlist: string, maxHeight: number): string {
  const kept: string[] = [];
  let dropUri = false;
  for (const line of playlist.split('\n')) {
    const isUri = line.trim() !== '' && !line.startsWith('#');
    if (isUri && dropUri) {
      dropUri = false;
      continue;
    }
    const tooHigh = variantHeight(line) > maxHeight;
    dropUri ||= tooHigh && line.startsWith('#EXT-X-STREAM-INF:');
    if (!tooHigh) {
      kept.push(line);
    }
  }
  return kept.join('\n');
}

function variantHeight(line: string): number {
  if (!line.startsWith('#EXT-X-STREAM-INF:') && !line.startsWith('#EXT-X-I-FRAME-STREAM-INF:')) {
    return 0;
  }
  return Number(readAttribute(line, 'RESOLUTION')?.split('x')[1] ?? 0);
}

function appendTokenToAttribute(line: string, token: string): string {
  if (!line.startsWith('#EXT-X-')) {
    return line;
  }
  for (const { name, start, end } of attributePositions(line)) {
    if (name === 'URI' && line[start] === '"') {
      const uri = appendToken(line.slice(start + 1, end - 1), token);
      return `${line.slice(0, start)}"${uri}"${line.slice(end)}`;
    }
  }
  return line;
}

function appendToken(uri: string, token: string): string {
  if (ELSEWHERE.test(uri)) {
    return uri;
  }
  return `${uri}${uri.includes('?') ? '&' : '?'}${TOKEN_PARAMETER}=${encodeURIComponent(token)}`;
}

function mapLines(text: string, change: (line: string) => string): string {
  return text
    .split('\n')
    .map((line) => (line.endsWith('\r') ? `${change(line.slice(0, -1))}\r` : change(line)))
    .join('\n');
}
