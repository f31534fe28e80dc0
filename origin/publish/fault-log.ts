/** Tells of storage that fails, without a line for each of the hundred requests a second that may fail. */

import type { Log } from '../log.ts';

/** Between two lines on the same cause, milliseconds. */
const INTERVAL_MS = 30_000;
/** Causes that are told apart at once; a store that finds ever new ones is told of once in the interval. */
const MAX_CAUSES = 8;
/** Storage that answered every request for so long is well again, milliseconds: it may fail now and then. */
const QUIET_MS = 2_000;
/** Between two lines about lost objects, milliseconds: a full disk loses hundreds a second. */
const LOST_INTERVAL_MS = 10_000;

/** The log of one object writer. */
export class FaultLog {
  readonly #log: Log;
  readonly #now: () => number;
  /** Failures since the last line; `undefined` while all is well. */
  #failures: number | undefined;
  #failedAt = 0;
  /** When each cause was last told, of a storage that fails. */
  readonly #told = new Map<string, number>();
  #lostToldAt = Number.NEGATIVE_INFINITY;

  constructor(log: Log, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** A request failed. */
  failed(detail: string, fields: object): void {
    const now = this.#now();
    this.#failedAt = now;
    this.#failures = (this.#failures ?? 0) + 1;
    const told = this.#told.get(detail);
    const isDue = told === undefined ? this.#told.size < MAX_CAUSES : now - told >= INTERVAL_MS;
    if (isDue) {
      this.#told.set(detail, now);
      this.#log.error(
        { ...fields, failures: this.#failures },
        `${detail}; objects are kept and uploaded later`,
      );
      this.#failures = 0;
    }
  }

  /** A request succeeded. */
  succeeded(fields: object): void {
    if (this.#failures !== undefined && this.#now() - this.#failedAt >= QUIET_MS) {
      this.#failures = undefined;
      this.#told.clear();
      this.#log.info(fields, 'object storage takes objects again');
    }
  }

  /** An object is lost. */
  lost(example: string, droppedObjects: number, why: string): void {
    if (this.#now() - this.#lostToldAt >= LOST_INTERVAL_MS) {
      this.#lostToldAt = this.#now();
      this.#log.error({ example, droppedObjects }, `objects are lost: ${why}`);
    }
  }
}
