/** The segments' common starts: MSN n begins at the same media instant in every rendition. */

import { mediaSequenceNumber, type MediaSequenceNumber } from '#shared/media-time.ts';
import type { Instant } from './instant.ts';

/** Start instants of the newest segment and of those that a rendition has still to finish. */
export class SegmentSchedule {
  #oldest: number;
  readonly #starts: Instant[];

  constructor(firstMsn: MediaSequenceNumber, start: Instant) {
    this.#oldest = firstMsn;
    this.#starts = [start];
  }

  /** The newest segment; its end is not known yet. */
  get newest(): MediaSequenceNumber {
    return mediaSequenceNumber(this.#oldest + this.#starts.length - 1);
  }

  /** Where a segment starts, `undefined` before that is decided and after all have finished it. */
  startOf(msn: number): Instant | undefined {
    return this.#starts[msn - this.#oldest];
  }

  /** Ends the newest segment and starts the next. */
  add(start: Instant): void {
    this.#starts.push(start);
  }

  /** Forgets the segments before `msn`; the newest stays. */
  forgetBefore(msn: number): void {
    while (this.#oldest < msn && this.#starts.length > 1) {
      this.#starts.shift();
      this.#oldest += 1;
    }
  }
}
