/** Measures how many bits per second a stream's publisher sends. */

import type { SourceProperties } from '../ingest/media-feed.ts';

/** Media that has to be seen before the rate counts, milliseconds: some key frames, without the burst at the begin. */
const LEAST_MS = 10_000;
/** Length of one measurement, milliseconds: after it the next begins, and the last one counts until that is done. */
const SPAN_MS = 30_000;

/** A publisher's bit rate over the last half minute or so. */
export class FeedRate {
  #since: number | undefined;
  #bytes = 0;
  #last: number | undefined;
  #source: string | undefined;

  /** Begins with a source: what was measured holds on where it is the same as before, such as after a reconnect. */
  begin(source: SourceProperties): void {
    const description = JSON.stringify(source);
    if (description !== this.#source) {
      this.#last = undefined;
    }
    this.#source = description;
    this.pause();
  }

  /** Takes bytes that arrived at a time, Unix milliseconds. */
  add(bytes: number, now: number): void {
    this.#since ??= now;
    this.#bytes += bytes;
    const elapsed = now - this.#since;
    if (elapsed >= LEAST_MS) {
      this.#last = (this.#bytes * 8 * 1000) / elapsed;
    }
    // A clock that was stepped back begins anew as well.
    if (elapsed >= SPAN_MS || elapsed < 0) {
      this.#since = now;
      this.#bytes = 0;
    }
  }

  /** Ends a measurement: the publisher is gone, and its silence does not count. */
  pause(): void {
    this.#since = undefined;
    this.#bytes = 0;
  }

  /** Bits per second, `undefined` before enough was seen. */
  get bitsPerSecond(): number | undefined {
    return this.#last;
  }
}
