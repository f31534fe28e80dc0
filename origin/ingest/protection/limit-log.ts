/** Says that somebody met a limit, once a minute for all who meet the same one: nobody shall fill the disk with logs. */

import type { Log } from '../../log.ts';

const WINDOW_MS = 60_000;

/** Lines on limits, each with how many there were since the last. */
export class LimitLog {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #last = new Map<string, { at: number; unsaid: number }>();

  constructor(log: Log, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** Notes one; `what` is one of a few sentences. */
  add(what: string, remoteAddress: string): void {
    const last = this.#last.get(what);
    if (last !== undefined && this.#now() - last.at < WINDOW_MS) {
      last.unsaid += 1;
      return;
    }
    this.#log.warn({ remoteAddress, alsoBefore: last?.unsaid ?? 0 }, what);
    this.#last.set(what, { at: this.#now(), unsaid: 0 });
  }
}
