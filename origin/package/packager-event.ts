/** What the packager says. */

import type { MediaSequenceNumber, Milliseconds, PartIndex, Seconds } from '#shared/media-time.ts';

/** Something an operator should know; the run goes on. */
export type WarningCode =
  /** A rendition has no sync sample where the others start a segment. */
  | 'boundary-without-sync'
  /** No key frame came before the segment had to end. */
  | 'key-frame-interval-too-long'
  /** A frame lasts longer than PART-TARGET, so its part does too. */
  | 'frame-exceeds-part-target'
  /** A duration longer than a segment was replaced with the frame's before. */
  | 'implausible-duration'
  /** Samples came after their segment was given up, and are left out. */
  | 'late-samples-dropped'
  /** Audio from before the first picture is left out. */
  | 'leading-audio-dropped';

/**
 * One step of a run, in the order in which the integrator publishes them. `trackId` is the rendition's track in
 * ffmpeg's output.
 */
export type PackagerEvent =
  /** Once, before the first part. */
  | {
      readonly kind: 'start';
      /** PART-TARGET. */
      readonly partTarget: Seconds;
      /** EXT-X-TARGETDURATION, whole seconds. */
      readonly targetDuration: number;
      /** Frames per second of the video tracks seen so far, by track id. */
      readonly frameRates: ReadonlyMap<number, number>;
    }
  | {
      readonly kind: 'part';
      readonly trackId: number;
      readonly msn: MediaSequenceNumber;
      readonly part: PartIndex;
      /** From integer ticks. */
      readonly duration: Seconds;
      readonly independent: boolean;
      /** Wall clock of the part's first sample, Unix milliseconds. */
      readonly programDateTime: Milliseconds;
      readonly bytes: Uint8Array;
    }
  /** The segment is complete: all its parts came before. */
  | {
      readonly kind: 'segment';
      readonly trackId: number;
      readonly msn: MediaSequenceNumber;
      readonly parts: number;
      readonly duration: Seconds;
    }
  /** The rendition has nothing for this segment, which the others have: to be published as EXT-X-GAP. */
  | {
      readonly kind: 'gap';
      readonly trackId: number;
      readonly msn: MediaSequenceNumber;
      readonly duration: Seconds;
      /** Wall clock of the segment's start, Unix milliseconds. */
      readonly programDateTime: Milliseconds;
    }
  /** The source's clock jumped. Everything before was flushed; a new run has to begin, behind a discontinuity. */
  | {
      readonly kind: 'timeline-break';
      readonly trackId: number;
      /** Media time that was expected, and that which came. */
      readonly expected: Seconds;
      readonly got: Seconds;
    }
  | {
      readonly kind: 'warning';
      readonly trackId: number;
      readonly code: WarningCode;
      readonly detail: string;
    };
