/** Turns the live window into the playlists that players see. */

import { mediaFileName } from '#shared/identifiers.ts';
import { epoch, mediaSequenceNumber, partIndex } from '#shared/media-time.ts';
import type { MediaPlaylist, MediaSegment, SegmentOpening } from '#shared/playlist/media-playlist.ts';
import type { PartTag } from '#shared/playlist/tags/part.ts';
import type { PreloadHintTag } from '#shared/playlist/tags/preload-hint.ts';
import type { RenditionReportTag } from '#shared/playlist/tags/rendition-report.ts';
import {
  MICROS,
  SKIP_FACTOR,
  sumMicros,
  type LiveSegment,
  type LiveWindow,
  type OpenSegment,
  type RenditionWindow,
} from './live-window.ts';
import { expectNextPart } from './next-part.ts';
import { firstSegment, frozenCount, lastSegment } from './segment-list.ts';

/** EXT-X-VERSION: what EXT-X-SKIP needs, rfc8216bis §8. */
const VERSION = 9;
/** PART-HOLD-BACK in part targets and HOLD-BACK in target durations: the least that is allowed, §4.4.3.8. */
const HOLD_BACK_FACTOR = 3;
/** Parts further than so many target durations from the end are taken off, §4.4.4.9. */
const PARTS_FACTOR = 3;

/**
 * Describes a rendition's media playlist with the newest of its segments, `segments`; those before them are not
 * described: `skippedSegments` is what a delta update says of them, 0 where their text stands elsewhere.
 */
export function describeMediaPlaylist(
  window: LiveWindow,
  rendition: RenditionWindow,
  segments: readonly LiveSegment[],
  skippedSegments = 0,
): MediaPlaylist {
  const { targetDuration, partTarget } = window.begin;
  const live = rendition.active && !window.ended;
  const first = firstSegment(rendition.segments) ?? rendition.open;
  const sequence = first?.discontinuitySequence ?? window.discontinuitySequence;
  return {
    version: VERSION,
    independentSegments: true,
    targetDuration,
    partTarget,
    serverControl: {
      kind: 'server-control',
      canBlockReload: true,
      canSkipUntil: SKIP_FACTOR * targetDuration,
      canSkipDateranges: false,
      holdBack: HOLD_BACK_FACTOR * targetDuration,
      partHoldBack: HOLD_BACK_FACTOR * partTarget,
    },
    mediaSequence: first?.msn ?? rendition.nextMsn,
    discontinuitySequence: sequence - (first?.discontinuity === true ? 1 : 0),
    skippedSegments,
    segments: describeSegments(segments, rendition.open, PARTS_FACTOR * targetDuration * MICROS),
    open: rendition.open === undefined ? undefined : openingOf(rendition.open, true),
    preloadHints: live ? preloadHints(window, rendition) : [],
    renditionReports: live ? renditionReports(window, rendition) : [],
    ended: !live,
  };
}

/** How many of the first segments lie before the skip boundary, rfc8216bis §6.2.5.1; the frozen ones all do. */
export function skippableSegments(window: LiveWindow, rendition: RenditionWindow): number {
  const boundary = SKIP_FACTOR * window.begin.targetDuration * MICROS;
  const { tail } = rendition.segments;
  let distance = sumMicros(rendition.open?.parts ?? []);
  let index = tail.length;
  while (index > 0 && distance < boundary) {
    index -= 1;
    distance += tail[index]?.durationMicros ?? 0;
  }
  return distance < boundary ? 0 : frozenCount(rendition.segments) + index;
}

/** Parts of a segment stand together or not at all: players count them to know a part's index. */
function describeSegments(
  segments: readonly LiveSegment[],
  open: OpenSegment | undefined,
  partsWithinMicros: number,
): MediaSegment[] {
  const firstWithParts = indexOfFirstWithParts(segments, open, partsWithinMicros);
  return segments.map((segment, index) => describeSegment(segment, index >= firstWithParts));
}

function indexOfFirstWithParts(
  segments: readonly LiveSegment[],
  open: OpenSegment | undefined,
  partsWithinMicros: number,
): number {
  let first = segments.length;
  let distance = sumMicros(open?.parts ?? []);
  while (first > 0) {
    distance += segments[first - 1]?.durationMicros ?? 0;
    if (distance > partsWithinMicros) {
      break;
    }
    first -= 1;
  }
  return first;
}

/** The oldest segment whose parts a rendition's playlist names; `undefined` where it names none. */
export function firstWithParts(window: LiveWindow, rendition: RenditionWindow): OpenSegment | undefined {
  const { open } = rendition;
  const { tail } = rendition.segments;
  return tail[indexOfFirstWithParts(tail, open, PARTS_FACTOR * window.begin.targetDuration * MICROS)] ?? open;
}

/** Describes a segment, with its parts where they are still listed. */
export function describeSegment(segment: LiveSegment, withParts: boolean): MediaSegment {
  const msn = mediaSequenceNumber(segment.msn);
  return {
    ...openingOf(segment, withParts),
    uri: mediaFileName({ kind: 'segment', epoch: epoch(segment.epoch), msn }),
    duration: segment.durationMicros / MICROS,
    title: '',
    gap: segment.gap,
  };
}

function openingOf(segment: OpenSegment, withParts: boolean): SegmentOpening {
  const { mapEpoch } = segment;
  return {
    discontinuity: segment.discontinuity,
    map: mapEpoch === undefined ? undefined : mediaFileName({ kind: 'init', epoch: epoch(mapEpoch) }),
    programDateTime: segment.programDateTime,
    parts: withParts ? describeParts(segment) : [],
  };
}

function describeParts(segment: OpenSegment): PartTag[] {
  return segment.parts.map((part, index) => ({
    kind: 'part',
    uri: partName(segment.epoch, segment.msn, index),
    duration: part.durationMicros / MICROS,
    independent: part.independent,
    gap: false,
  }));
}

function preloadHints(window: LiveWindow, rendition: RenditionWindow): PreloadHintTag[] {
  const hints: PreloadHintTag[] = [];
  const current = rendition.open ?? lastSegment(rendition.segments);
  if (current?.mapEpoch !== window.epoch) {
    const uri = mediaFileName({ kind: 'init', epoch: epoch(window.epoch) });
    hints.push({ kind: 'preload-hint', type: 'MAP', uri });
  }
  const next = expectNextPart(window, rendition);
  const uri = partName(window.epoch, next.msn, next.part);
  hints.push({ kind: 'preload-hint', type: 'PART', uri });
  return hints;
}

function renditionReports(window: LiveWindow, self: RenditionWindow): RenditionReportTag[] {
  const reports: RenditionReportTag[] = [];
  for (const [name, other] of window.renditions) {
    const last = other.open ?? lastSegment(other.segments);
    if (other === self || !other.active || last === undefined) {
      continue;
    }
    reports.push({
      kind: 'rendition-report',
      uri: `../${name}/index.m3u8`,
      lastMsn: last.msn,
      lastPart: last.parts.length === 0 ? undefined : last.parts.length - 1,
    });
  }
  return reports;
}

function partName(ofEpoch: number, msn: number, part: number): string {
  return mediaFileName({
    kind: 'part',
    epoch: epoch(ofEpoch),
    msn: mediaSequenceNumber(msn),
    part: partIndex(part),
  });
}
