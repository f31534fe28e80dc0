/** The newest group of pictures of a feed that is not on air, so that a switch to it begins at a key frame at once. */

import type { FeedEvent } from '../ingest/media-feed.ts';

/** A group of pictures of so many bytes is let go: ten seconds at 25 Mbit/s; the switch waits for the next key frame. */
const MAX_GOP_BYTES = 32 * 1024 * 1024;
/** Events of one group; one that is longer is let go. */
const MAX_GOP_EVENTS = 16_384;
type MediaEvent = Extract<FeedEvent, { kind: 'media' }>;

/** Keeps one group of pictures. */
export class GopBuffer {
  #events: MediaEvent[] = [];
  #bytes = 0;
  #since = 0;

  /** When the first of what it holds was received, Unix milliseconds; `undefined` where it holds nothing. */
  get since(): number | undefined {
    return this.#events.length === 0 ? undefined : this.#since;
  }

  /** Adds an event received at `now`; a key frame lets what was before go. */
  push(event: MediaEvent, now: number): void {
    if (event.randomAccess) {
      this.clear();
      this.#since = now;
    } else if (this.#events.length === 0) {
      return;
    }
    this.#events.push(event);
    this.#bytes += event.bytes.length;
    if (this.#bytes > MAX_GOP_BYTES || this.#events.length > MAX_GOP_EVENTS) {
      this.clear();
    }
  }

  /** Hands over what it holds. */
  take(): readonly MediaEvent[] {
    const events = this.#events;
    this.clear();
    return events;
  }

  /** Lets everything go. */
  clear(): void {
    this.#events = [];
    this.#bytes = 0;
  }
}
