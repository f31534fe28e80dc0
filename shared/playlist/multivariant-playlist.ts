/** Multivariant playlists, rfc8216bis §4.4.6: the model with its render and parse. */

import { fail, ok, type Result } from '../result.ts';
import { readLines, type PlaylistFailure } from './lines.ts';
import { PlaylistSyntaxError } from './syntax.ts';
import type { MediaTag } from './tags/media.ts';
import type { StreamInfTag } from './tags/stream-inf.ts';
import { renderTag, type Tag } from './tags/table.ts';

/** A variant: its tag's attributes and the media playlist. */
export interface Variant extends Omit<StreamInfTag, 'kind'> {
  /** Relative to the multivariant playlist. */
  readonly uri: string;
}

/** A multivariant playlist; the first variant is the one that players begin with. */
export interface MultivariantPlaylist {
  /** EXT-X-VERSION; 1 where the tag is absent. */
  readonly version: number;
  readonly independentSegments: boolean;
  readonly renditions: readonly Omit<MediaTag, 'kind'>[];
  readonly variants: readonly Variant[];
}

/** Renders a multivariant playlist; throws `PlaylistSyntaxError` where a text cannot be carried. */
export function renderMultivariantPlaylist(playlist: MultivariantPlaylist): string {
  const tags: Tag[] = [{ kind: 'extm3u' }];
  if (playlist.version > 1) {
    tags.push({ kind: 'version', value: playlist.version });
  }
  if (playlist.independentSegments) {
    tags.push({ kind: 'independent-segments' });
  }
  tags.push(...playlist.renditions.map((rendition) => ({ kind: 'media' as const, ...rendition })));
  const variants = playlist.variants.map(
    (variant) => `${renderTag({ kind: 'stream-inf', ...variant })}\n${variant.uri}`,
  );
  return `${[...tags.map(renderTag), ...variants].join('\n')}\n`;
}

/** Reads a multivariant playlist; unknown tags are ignored. Returns `malformed` with the line. */
export function parseMultivariantPlaylist(text: string): Result<MultivariantPlaylist, PlaylistFailure> {
  let version = 1;
  let independentSegments = false;
  let pending: Omit<StreamInfTag, 'kind'> | undefined;
  const renditions: Omit<MediaTag, 'kind'>[] = [];
  const variants: Variant[] = [];
  const read = readLines(text, (line) => {
    if (pending !== undefined && line?.kind !== 'uri') {
      throw new PlaylistSyntaxError('EXT-X-STREAM-INF is not followed by a URI');
    }
    switch (line?.kind) {
      case 'version':
        version = line.value;
        return;
      case 'independent-segments':
        independentSegments = true;
        return;
      case 'media':
        renditions.push(withoutKind(line));
        return;
      case 'stream-inf':
        pending = withoutKind(line);
        return;
      case 'uri':
        variants.push(variantOf(pending, line.uri));
        pending = undefined;
        return;
      case 'extm3u':
      case undefined:
        return;
      default:
        throw new PlaylistSyntaxError('a tag of media playlists stands in a multivariant playlist');
    }
  });
  return read.ok ? ok({ version, independentSegments, renditions, variants }) : fail(read.failure);
}

function variantOf(pending: Omit<StreamInfTag, 'kind'> | undefined, uri: string): Variant {
  if (pending === undefined) {
    throw new PlaylistSyntaxError('a URI has no EXT-X-STREAM-INF before it');
  }
  return { uri, ...pending };
}

function withoutKind<T extends { readonly kind: string }>(tag: T): Omit<T, 'kind'> {
  const { kind: _, ...rest } = tag;
  return rest;
}
