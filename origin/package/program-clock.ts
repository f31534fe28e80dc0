/** EXT-X-PROGRAM-DATE-TIME: the wall clock of the first samples, then media time, rfc8216bis §4.4.4.6. */

import { milliseconds, type Milliseconds } from '#shared/media-time.ts';
import { secondsBetween, type Instant } from './instant.ts';
import type { Track } from './sample.ts';

/** A media instant and the wall clock that belongs to it, Unix milliseconds. */
export interface ProgramAnchor {
  readonly instant: Instant;
  readonly wallClock: Milliseconds;
}

/**
 * By how much audio is dated too early, milliseconds: more than a picture's date may be off by rounding. hls.js takes
 * from the dates where audio lies beside the pictures; where that is a little behind what the samples say, it takes the
 * end of one segment for the middle of it and loads no audio for as long as a segment lasts.
 */
const AUDIO_EARLY_MS = 0.7;

/** The wall clock of an instant in a track, Unix milliseconds, whole: the same in every rendition of a kind. */
export function programDateTime(anchor: ProgramAnchor, instant: Instant, kind: Track['kind']): Milliseconds {
  const exact = wallClockAt(anchor, instant);
  return milliseconds(kind === 'video' ? Math.round(exact) : Math.floor(exact - AUDIO_EARLY_MS));
}

/** The same anchor said of another instant, on a whole millisecond: what lies whole milliseconds from there is exact. */
export function wholeAnchor(anchor: ProgramAnchor, instant: Instant): ProgramAnchor {
  return { instant, wallClock: milliseconds(Math.round(wallClockAt(anchor, instant))) };
}

function wallClockAt(anchor: ProgramAnchor, instant: Instant): number {
  return anchor.wallClock + secondsBetween(anchor.instant, instant) * 1000;
}

/** Of anchors that were each delayed by an unknown time, the one that was delayed least. */
export function earliestAnchor(anchors: readonly ProgramAnchor[]): ProgramAnchor | undefined {
  const [first] = anchors;
  return anchors.reduce((earliest, anchor) => {
    const told = earliest === undefined ? Infinity : wallClockAt(earliest, anchor.instant);
    return anchor.wallClock < told ? anchor : earliest;
  }, first);
}
