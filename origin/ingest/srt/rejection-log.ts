/** Logs rejected callers without letting them flood the log: some encoders try again a hundred times a second. */

import type { Log } from '../../log.ts';

/** One rejected caller. */
export interface Rejection {
  readonly remoteAddress: string;
  /** Where the caller had named one and was allowed to publish it. */
  readonly stream?: string;
  readonly reason: string;
  readonly detail: string;
  /** The code it was told; `undefined` where libsrt chose it. */
  readonly code: number | undefined;
}

/** Lines of one window; enough for an operator to see what is wrong. */
const LINES_PER_WINDOW = 10;
/** Length of a window, milliseconds. */
const WINDOW_MILLISECONDS = 10_000;

/** Writes the first rejections of each window one by one and the others as their number. */
export class RejectionLog {
  readonly #log: Log;
  readonly #now: () => number;
  #windowStart = -Infinity;
  #count = 0;

  constructor(log: Log, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** Notes a rejection. */
  add(rejection: Rejection): void {
    this.flush();
    this.#count += 1;
    if (this.#count <= LINES_PER_WINDOW) {
      this.#log.warn(rejection, 'SRT caller rejected');
    }
  }

  /** Ends a window that is over; called now and then, so that the last one is reported too. */
  flush(): void {
    if (this.#now() - this.#windowStart < WINDOW_MILLISECONDS) {
      return;
    }
    if (this.#count > LINES_PER_WINDOW) {
      this.#log.warn({ count: this.#count - LINES_PER_WINDOW }, 'more SRT callers rejected');
    }
    this.#windowStart = this.#now();
    this.#count = 0;
  }
}
