/** Which part comes next: what EXT-X-PRELOAD-HINT names (rfc8216bis §4.4.5.3). */

import { MICROS, sumMicros, type LiveWindow, type RenditionWindow } from './live-window.ts';
import { lastSegment } from './segment-list.ts';

/** Half a frame of 60 a second: sums of rounded time stamps differ by less, a frame more or less differs by more. */
const HALF_FRAME_MICROS = 8_000;

/** A part that is not there yet. */
export interface NextPart {
  readonly msn: number;
  readonly part: number;
}

/**
 * Expects the next part. The open segment's last part closes before its end is known, since the next key frame
 * tells; a segment as long as the one before is taken to be complete, so that the next one's first part is hinted.
 * Where that is wrong, the hinted part still comes under its name, later.
 */
export function expectNextPart(window: LiveWindow, rendition: RenditionWindow): NextPart {
  const { open, nextMsn } = rendition;
  if (open === undefined) {
    return { msn: nextMsn, part: 0 };
  }
  const before = lastSegment(rendition.segments);
  const expected = before?.durationMicros ?? window.begin.targetDuration * MICROS;
  return sumMicros(open.parts) >= expected - HALF_FRAME_MICROS
    ? { msn: nextMsn + 1, part: 0 }
    : { msn: nextMsn, part: open.parts.length };
}
