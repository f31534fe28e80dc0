/**
 * The text of a media playlist, written without looking at what has not changed: the text of a frozen chunk is made
 * once, so that an update of a playlist of hours renders its last seconds only.
 */

import { renderMediaPlaylist, renderSegments } from '#shared/playlist/render-media-playlist.ts';
import { describeMediaPlaylist, describeSegment, skippableSegments } from './describe-playlists.ts';
import type { LiveSegment, LiveWindow, RenditionWindow } from './live-window.ts';
import {
  CHUNK_SEGMENTS,
  frozenCount,
  readFrozen,
  segmentAt,
  type SegmentChunk,
  type SegmentList,
} from './segment-list.ts';

/** Texts of chunks, each with EXT-X-MAP where it differs from the segment before, as long as the chunk lives. */
const chunkTexts = new WeakMap<SegmentChunk, string>();

/** The whole playlist of a rendition. */
export function renderWholePlaylist(window: LiveWindow, rendition: RenditionWindow): string {
  const { segments } = rendition;
  return renderMediaPlaylist(describeMediaPlaylist(window, rendition, segments.tail), {
    before: { lines: renderFrozen(segments), map: mapBefore(segments, segments.tail[0]) },
  });
}

/** A delta update, rfc8216bis §6.2.5.1; `undefined` where there is nothing to skip. */
export function renderDeltaUpdate(window: LiveWindow, rendition: RenditionWindow): string | undefined {
  const skipped = skippableSegments(window, rendition);
  if (skipped === 0) {
    return undefined;
  }
  const { segments } = rendition;
  const newest = segments.tail.slice(skipped - frozenCount(segments));
  return renderMediaPlaylist(describeMediaPlaylist(window, rendition, newest, skipped), {
    before: { lines: [], map: mapNameOf(segmentAt(segments, segments.firstMsn + skipped - 1)) },
  });
}

/** The listed part of the oldest chunk begins with EXT-X-MAP and changes with every segment: it is not kept. */
function renderFrozen(list: SegmentList): string[] {
  const [oldest, ...whole] = list.chunks;
  if (oldest === undefined) {
    return [];
  }
  const listed = readChunk(oldest).slice(list.firstMsn - oldest.firstMsn);
  return [
    ...renderSegments(listed.map(withoutParts), undefined),
    ...whole.map((chunk) => textOf(chunk, list)),
  ];
}

function textOf(chunk: SegmentChunk, list: SegmentList): string {
  const known = chunkTexts.get(chunk);
  if (known !== undefined) {
    return known;
  }
  const segments = readChunk(chunk);
  const text = renderSegments(segments.map(withoutParts), mapBefore(list, segments[0])).join('\n');
  chunkTexts.set(chunk, text);
  return text;
}

function readChunk(chunk: SegmentChunk): LiveSegment[] {
  return Array.from({ length: CHUNK_SEGMENTS }, (_, index) => readFrozen(chunk, index));
}

function withoutParts(segment: LiveSegment): ReturnType<typeof describeSegment> {
  return describeSegment(segment, false);
}

/** The init segment in force before a listed segment; none before the first. */
function mapBefore(list: SegmentList, segment: LiveSegment | undefined): string | undefined {
  return segment === undefined ? undefined : mapNameOf(segmentAt(list, segment.msn - 1));
}

function mapNameOf(segment: LiveSegment | undefined): string | undefined {
  return segment === undefined ? undefined : withoutParts(segment).map;
}
