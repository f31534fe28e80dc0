/** Splits a playlist's text into tags and URIs, rfc8216bis §4.1. */

import { fail, ok, type Result } from '../result.ts';
import { PlaylistSyntaxError } from './syntax.ts';
import { TAG_PARSERS, type Tag } from './tags/table.ts';

/** Longest playlist that is read, characters: 50,000 segments with date and duration fit. */
const MAX_PLAYLIST_CHARACTERS = 16 * 1024 * 1024;

/** Why a text is no playlist; `line` counts from 1. */
export type PlaylistFailure =
  | { readonly reason: 'too-long'; readonly limit: number }
  | { readonly reason: 'malformed'; readonly line: number; readonly detail: string };

/** A line that says something: comments, blank lines and unknown tags are left out. */
export type PlaylistLine = Tag | { readonly kind: 'uri'; readonly uri: string };

const TAG_LINE = /^#(EXT[A-Z0-9-]*)(?::(.*))?$/;

/**
 * Feeds each line of a playlist to `take`. What `take` throws as {@link PlaylistSyntaxError} comes back as a
 * failure that names the line; the text after the last line is line `undefined`, where `take` may still object.
 */
export function readLines(
  text: string,
  take: (line: PlaylistLine | undefined) => void,
): Result<undefined, PlaylistFailure> {
  if (text.length > MAX_PLAYLIST_CHARACTERS) {
    return fail({ reason: 'too-long', limit: MAX_PLAYLIST_CHARACTERS });
  }
  const lines = text.split(/\r?\n/);
  let at = 0;
  try {
    for (const content of lines) {
      at += 1;
      const line = parseLine(content, at);
      if (line !== undefined) {
        take(line);
      }
    }
    take(undefined);
    return ok(undefined);
  } catch (error) {
    if (error instanceof PlaylistSyntaxError) {
      return fail({ reason: 'malformed', line: at, detail: error.message });
    }
    throw error;
  }
}

function parseLine(content: string, at: number): PlaylistLine | undefined {
  if (at === 1 && content !== '#EXTM3U') {
    throw new PlaylistSyntaxError('a playlist starts with #EXTM3U');
  }
  if (content === '') {
    return undefined;
  }
  if (!content.startsWith('#')) {
    return { kind: 'uri', uri: content };
  }
  const match = TAG_LINE.exec(content);
  const parse = TAG_PARSERS.get(match?.[1] ?? '');
  return parse?.(match?.[2] ?? '');
}
