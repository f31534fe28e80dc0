/** EXT-X-PROGRAM-DATE-TIME: the wall clock of the first samples, then media time, rfc8216bis §4.4.4.6. */

import { milliseconds, type Milliseconds } from '#shared/media-time.ts';
import { secondsBetween, type Instant } from './instant.ts';

/** A media instant and the wall clock that belongs to it, Unix milliseconds. */
export interface ProgramAnchor {
  readonly instant: Instant;
  readonly wallClock: Milliseconds;
}

/** The wall clock of a media instant, Unix milliseconds, whole: alike in every rendition. */
export function programDateTime(anchor: ProgramAnchor, instant: Instant): Milliseconds {
  return milliseconds(Math.round(anchor.wallClock + secondsBetween(anchor.instant, instant) * 1000));
}

/** Of anchors that were each delayed by an unknown time, the one that was delayed least. */
export function earliestAnchor(anchors: readonly ProgramAnchor[]): ProgramAnchor | undefined {
  const [first] = anchors;
  return anchors.reduce((earliest, anchor) => {
    const told = earliest === undefined ? Infinity : programDateTime(earliest, anchor.instant);
    return anchor.wallClock < told ? anchor : earliest;
  }, first);
}
