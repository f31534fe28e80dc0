/** BANDWIDTH and AVERAGE-BANDWIDTH of a rendition, rfc8216bis §4.4.6.2. */

import type { Seconds } from '#shared/media-time.ts';

/** What a segment weighs and lasts. */
export interface SegmentWeight {
  readonly bytes: number;
  readonly duration: Seconds;
}

/** Bits per second, whole, rounded up. */
export interface Bitrate {
  /** The largest over one segment. */
  readonly peak: number;
  readonly average: number;
}

/** Measures the bit rate over segments; those that last nothing are left out, none at all gives 0. */
export function measureBitrate(segments: readonly SegmentWeight[]): Bitrate {
  const lasting = segments.filter((segment) => segment.duration > 0);
  if (lasting.length === 0) {
    return { peak: 0, average: 0 };
  }
  const bytes = lasting.reduce((sum, segment) => sum + segment.bytes, 0);
  const duration = lasting.reduce((sum, segment) => sum + segment.duration, 0);
  const peak = Math.max(...lasting.map((segment) => (segment.bytes * 8) / segment.duration));
  return { peak: Math.ceil(peak), average: Math.ceil((bytes * 8) / duration) };
}
