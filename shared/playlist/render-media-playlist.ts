/** Renders media playlists, full or as delta updates: rfc8216bis §4.4.3 and §6.2.5.1. */

import type { MediaPlaylist, MediaSegment, SegmentOpening } from './media-playlist.ts';
import { renderTag, type Tag } from './tags/table.ts';

/** The lowest EXT-X-VERSION of a playlist with EXT-X-SKIP, rfc8216bis §8. */
const DELTA_UPDATE_VERSION = 9;

/** What may differ between two renderings of one playlist. */
export interface RenderOptions {
  /** How many more of the first segments are left out behind EXT-X-SKIP. */
  readonly skip?: number;
  /** What stands, or is skipped, before the first of the playlist's segments. */
  readonly before?: RenderedSegments;
}

/** Segments whose text is there already. */
export interface RenderedSegments {
  /** Their lines, in pieces of any size without a line break at the end. */
  readonly lines: readonly string[];
  /** URI of the init segment in force after them. */
  readonly map: string | undefined;
}

/** Renders a media playlist; throws `PlaylistSyntaxError` where a text cannot be carried by the grammar. */
export function renderMediaPlaylist(playlist: MediaPlaylist, options: RenderOptions = {}): string {
  const skip = Math.min(options.skip ?? 0, playlist.segments.length);
  const skipped = playlist.skippedSegments + skip;
  const lines = header(playlist, skipped).map(renderTag);
  const map = skip === 0 ? options.before?.map : playlist.segments[skip - 1]?.map;
  const listed = playlist.segments.slice(skip);
  lines.push(...(options.before?.lines ?? []), ...renderSegments(listed, map));
  if (playlist.open !== undefined) {
    const last = listed.at(-1);
    lines.push(...openingTags(playlist.open, last === undefined ? map : last.map).map(renderTag));
  }
  lines.push(...playlist.preloadHints.map(renderTag), ...playlist.renditionReports.map(renderTag));
  if (playlist.ended) {
    lines.push(renderTag({ kind: 'endlist' }));
  }
  return `${lines.join('\n')}\n`;
}

/** Renders consecutive segments, a piece of text each; `map` is the URI of the init segment before them. */
export function renderSegments(segments: readonly MediaSegment[], map: string | undefined): string[] {
  return segments.map((segment, index) =>
    renderSegment(segment, index === 0 ? map : segments[index - 1]?.map),
  );
}

function header(playlist: MediaPlaylist, skipped: number): Tag[] {
  const version = skipped > 0 ? Math.max(playlist.version, DELTA_UPDATE_VERSION) : playlist.version;
  const tags: Tag[] = [{ kind: 'extm3u' }];
  if (version > 1) {
    tags.push({ kind: 'version', value: version });
  }
  if (playlist.independentSegments) {
    tags.push({ kind: 'independent-segments' });
  }
  tags.push({ kind: 'target-duration', value: playlist.targetDuration });
  if (playlist.serverControl !== undefined) {
    tags.push(playlist.serverControl);
  }
  if (playlist.partTarget !== undefined) {
    tags.push({ kind: 'part-inf', partTarget: playlist.partTarget });
  }
  tags.push({ kind: 'media-sequence', value: playlist.mediaSequence });
  tags.push({ kind: 'discontinuity-sequence', value: playlist.discontinuitySequence });
  if (skipped > 0) {
    tags.push({ kind: 'skip', skippedSegments: skipped });
  }
  return tags;
}

function renderSegment(segment: MediaSegment, mapBefore: string | undefined): string {
  const tags = openingTags(segment, mapBefore);
  if (segment.gap) {
    tags.push({ kind: 'gap' });
  }
  tags.push({ kind: 'extinf', duration: segment.duration, title: segment.title });
  return `${tags.map(renderTag).join('\n')}\n${segment.uri}`;
}

function openingTags(opening: SegmentOpening, mapBefore: string | undefined): Tag[] {
  const tags: Tag[] = [];
  if (opening.discontinuity) {
    tags.push({ kind: 'discontinuity' });
  }
  if (opening.map !== undefined && opening.map !== mapBefore) {
    tags.push({ kind: 'map', uri: opening.map });
  }
  if (opening.programDateTime !== undefined) {
    tags.push({ kind: 'program-date-time', at: opening.programDateTime });
  }
  tags.push(...opening.parts);
  return tags;
}
