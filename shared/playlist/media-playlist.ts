/** The model of a media playlist, rfc8216bis §4.4.3: what its text says, without its text's order. */

import type { PartTag } from './tags/part.ts';
import type { PreloadHintTag } from './tags/preload-hint.ts';
import type { RenditionReportTag } from './tags/rendition-report.ts';
import type { ServerControlTag } from './tags/server-control.ts';

/** What applies to a segment from its first part on. */
export interface SegmentOpening {
  /** EXT-X-DISCONTINUITY stands before the segment. */
  readonly discontinuity: boolean;
  /** URI of the init segment in force; its tag is written where it differs from the segment before. */
  readonly map: string | undefined;
  /** Wall clock of the first sample, Unix milliseconds, whole. */
  readonly programDateTime: number | undefined;
  readonly parts: readonly PartTag[];
}

/** A complete segment. */
export interface MediaSegment extends SegmentOpening {
  readonly uri: string;
  /** Seconds. */
  readonly duration: number;
  readonly title: string;
  /** There is no media to fetch under the URI. */
  readonly gap: boolean;
}

/** A media playlist; durations in seconds. */
export interface MediaPlaylist {
  /** EXT-X-VERSION; 1 where the tag is absent. */
  readonly version: number;
  readonly independentSegments: boolean;
  readonly targetDuration: number;
  readonly partTarget: number | undefined;
  readonly serverControl: ServerControlTag | undefined;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  /** Segments that a delta update leaves out before the first of `segments`; 0 in a full playlist. */
  readonly skippedSegments: number;
  readonly segments: readonly MediaSegment[];
  /** The segment in the making, as far as its parts go. */
  readonly open: SegmentOpening | undefined;
  readonly preloadHints: readonly PreloadHintTag[];
  readonly renditionReports: readonly RenditionReportTag[];
  /** EXT-X-ENDLIST. */
  readonly ended: boolean;
}
