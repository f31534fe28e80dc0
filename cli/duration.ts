/** Durations as they are typed on a command line. */

import { seconds, type Seconds } from '#shared/media-time.ts';
import { fail, ok, type Result } from '#shared/result.ts';

const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
]);
/** A token cannot be taken back by its bearer's loss alone: a year is the longest. */
const MAX_SECONDS = 366 * 86_400;

/** Why a text is no duration. */
export type DurationFailure = { readonly reason: 'invalid-duration'; readonly expected: string };

/** Reads "90", "90s", "5m", "12h" or "7d": whole, from one second to 366 days. */
export function parseDuration(text: string): Result<Seconds, DurationFailure> {
  const match = /^([1-9][0-9]{0,8})([smhd]?)$/.exec(text);
  const value = Number(match?.[1]) * (UNITS.get(match?.[2] ?? '') ?? Number.NaN);
  return value <= MAX_SECONDS
    ? ok(seconds(value))
    : fail({
        reason: 'invalid-duration',
        expected: 'a whole number with s, m, h or d, like 90s, 5m, 12h, 7d, at most 366d',
      });
}
