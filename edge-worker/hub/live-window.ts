/**
 * The live window of one stream: what its playlists are rendered from. Immutable values; durations are integer
 * microseconds, so that the parts of a segment add up to it exactly.
 */

import type { PublishUpdate, RenditionDescription } from '#shared/wire/publish.ts';
import { appendTo, firstSegment, type ListLimits, type SegmentList } from './segment-list.ts';

/** Microseconds in a second. */
export const MICROS = 1_000_000;

/** CAN-SKIP-UNTIL in target durations: the least that is allowed, rfc8216bis §4.4.3.8. */
export const SKIP_FACTOR = 6;

/** The update that starts an epoch. */
export type BeginUpdate = Extract<PublishUpdate, { kind: 'begin' }>;

/** A part that was published. */
interface LivePart {
  readonly durationMicros: number;
  readonly independent: boolean;
  readonly bytes: number;
}

/** A segment in the making; it has at least one part. */
export interface OpenSegment {
  readonly msn: number;
  readonly epoch: number;
  /** Epoch whose init segment is in force, or `undefined` where none ever was. */
  readonly mapEpoch: number | undefined;
  /** Discontinuity sequence number (rfc8216bis §6.2.1), alike in all renditions. */
  readonly discontinuitySequence: number;
  /** EXT-X-DISCONTINUITY stands before it. */
  readonly discontinuity: boolean;
  /** Unix milliseconds, whole. */
  readonly programDateTime: number;
  readonly parts: readonly LivePart[];
}

/** A complete segment. */
export interface LiveSegment extends OpenSegment {
  readonly durationMicros: number;
  readonly bytes: number;
  /** How many parts it has; those of a frozen segment are counted, no longer told apart. */
  readonly partCount: number;
  /** It was lost in this rendition: EXT-X-GAP. */
  readonly gap: boolean;
}

/** One rendition's share of the window. */
export interface RenditionWindow {
  readonly description: RenditionDescription;
  /** The current epoch names it; otherwise its playlist has ended. */
  readonly active: boolean;
  /** The newest epoch whose init segment has arrived. */
  readonly initEpoch: number | undefined;
  /** Media sequence number of the segment in the making, begun or not. */
  readonly nextMsn: number;
  readonly segments: SegmentList;
  readonly open: OpenSegment | undefined;
}

/** The live window of a stream whose publishing has begun. */
export interface LiveWindow {
  readonly epoch: number;
  readonly begin: BeginUpdate;
  /** Number of the update that is expected next. */
  readonly nextSeq: number;
  /** Discontinuity sequence number of the current epoch's segments. */
  readonly discontinuitySequence: number;
  readonly ended: boolean;
  readonly renditions: ReadonlyMap<string, RenditionWindow>;
}

/** The media sequence number at which a new epoch goes on: behind everything that any rendition lists. */
export function nextMsnOf(window: LiveWindow | undefined): number {
  let next = window?.begin.firstMsn ?? 0;
  for (const rendition of window?.renditions.values() ?? []) {
    next = Math.max(next, rendition.nextMsn + (rendition.open === undefined ? 0 : 1));
  }
  return next;
}

/** Whether a rendition lists anything. */
export function hasMedia(rendition: RenditionWindow): boolean {
  return rendition.segments.tail.length > 0 || rendition.open !== undefined;
}

/** For each rendition, the oldest epoch whose init segment its playlist still needs. */
export function oldestInits(window: LiveWindow): ReadonlyMap<string, number> {
  const oldest = new Map<string, number>();
  for (const [name, rendition] of window.renditions) {
    const first = firstSegment(rendition.segments) ?? rendition.open;
    oldest.set(name, first?.mapEpoch ?? window.epoch);
  }
  return oldest;
}

/** Adds up durations. */
export function sumMicros(parts: readonly { readonly durationMicros: number }[]): number {
  return parts.reduce((sum, part) => sum + part.durationMicros, 0);
}

/** Makes an open segment complete with the parts it has. */
export function completeSegment(open: OpenSegment): LiveSegment {
  const bytes = open.parts.reduce((sum, part) => sum + part.bytes, 0);
  const partCount = open.parts.length;
  return { ...open, durationMicros: sumMicros(open.parts), bytes, partCount, gap: false };
}

/** Appends a segment and lets the oldest go. */
export function appendSegment(
  rendition: RenditionWindow,
  segment: LiveSegment,
  begin: BeginUpdate,
): RenditionWindow {
  const segments = appendTo(rendition.segments, segment, listLimits(begin));
  return { ...rendition, segments, open: undefined, nextMsn: segment.msn + 1 };
}

/** Nothing that a delta update names is frozen, and parts are listed for less than that (§4.4.4.9). */
function listLimits({ windowSegments, targetDuration }: BeginUpdate): ListLimits {
  return { segments: windowSegments, frozenBeyondMicros: SKIP_FACTOR * targetDuration * MICROS };
}
