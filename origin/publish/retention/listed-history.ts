/**
 * What playlists have named over time. A segment must stay for as long as the longest playlist that named it lasts
 * (rfc8216bis §6.2.2), so only what was seen to be named by none for so long may go. A restarted origin knows nothing
 * and waits for that time again.
 */

import type { Position } from './decide.ts';

/** What was named at one time. */
interface Sighting {
  /** Milliseconds of a clock that never steps. */
  readonly at: number;
  /** The oldest that was named. */
  readonly from: Position;
}

/** Newest last. */
export type ListedHistory = readonly Sighting[];

/** Where no playlist names anything. */
export const NOTHING_LISTED: Position = { epoch: Number.POSITIVE_INFINITY, msn: 0 };

/** Adds a sighting and forgets what is older than `forMs` needs. */
export function noteListed(history: ListedHistory, sighting: Sighting, forMs: number): ListedHistory {
  const all = [...history, sighting];
  const newestOld = all.findLastIndex(({ at }) => sighting.at - at >= forMs);
  return all.slice(Math.max(0, newestOld));
}

/** Before this position nothing was named for `forMs`; `undefined` when the history does not reach back so far. */
export function unlistedFor(history: ListedHistory, now: number, forMs: number): Position | undefined {
  const start = history.findLastIndex(({ at }) => now - at >= forMs);
  if (start < 0) {
    return undefined;
  }
  return history
    .slice(start)
    .map(({ from }) => from)
    .reduce((oldest, from) =>
      from.epoch < oldest.epoch || (from.epoch === oldest.epoch && from.msn < oldest.msn) ? from : oldest,
    );
}
