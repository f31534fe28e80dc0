/** How far back the viewers of a live stream may go: the `dvr` setting, and the playlist window that it asks for. */

import { z } from 'zod';
import { seconds, type Seconds } from '#shared/media-time.ts';

/** A live stream without time-shift: what a player needs to join and to survive a pause of its network. */
export const DEFAULT_DVR: Seconds = seconds(30);
/** Longest playlist window, seconds: 12 hours, what a stream hub holds in its memory for a full ladder. */
const MAX_DVR_SECONDS = 12 * 3600;
/** CAN-SKIP-UNTIL is six target durations (rfc8216bis §4.4.3.8): fewer segments have nothing to skip. */
const MIN_WINDOW_SEGMENTS = 6;
const UNIT_SECONDS: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
]);
const EXPECTED = 'expected seconds, or a duration like "90s", "30m", "4h"';

/** Seconds as a number, or a text with a unit; up to 12 hours. */
export const dvrSchema: z.ZodType<Seconds> = z
  .union(
    [
      z.number(),
      z
        .string()
        .regex(/^[0-9]{1,6}[smh]$/)
        .transform(secondsOf),
    ],
    EXPECTED,
  )
  .pipe(z.number().min(1).max(MAX_DVR_SECONDS))
  .transform(seconds);

function secondsOf(text: string): number {
  return Number(text.slice(0, -1)) * (UNIT_SECONDS.get(text.slice(-1)) ?? Number.NaN);
}

/** How many segments a playlist names to reach back as far as `dvr` says. */
export function windowSegments(dvr: Seconds, segmentDuration: Seconds): number {
  return Math.max(MIN_WINDOW_SEGMENTS, Math.ceil(dvr / segmentDuration));
}
