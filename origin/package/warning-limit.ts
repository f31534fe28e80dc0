/** Lets a warning through once in a while, so that a source that does it all the time does not flood the log. */

import type { PackagerEvent, WarningCode } from './packager-event.ts';

/** Least time between two warnings of one kind on one track, milliseconds: one a minute is enough to act on. */
const WARNING_INTERVAL_MS = 60_000;

/** When each kind of warning was given last. */
export class WarningLimit {
  readonly #last = new Map<string, number>();

  /** The warning as an event, or nothing where the same was given within the last minute. `now` in milliseconds. */
  warn(
    warning: { readonly code: WarningCode; readonly trackId: number; readonly detail: string },
    now: number,
  ): readonly PackagerEvent[] {
    const key = `${warning.code}/${warning.trackId}`;
    const last = this.#last.get(key);
    if (last !== undefined && now - last < WARNING_INTERVAL_MS) {
      return [];
    }
    this.#last.set(key, now);
    return [{ kind: 'warning', ...warning }];
  }
}
