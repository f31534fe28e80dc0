/** Orders what the probe hands out: chunks go straight through, or are held until the source is known. */

import type { FeedEvent } from '../media-feed.ts';

/** What a probe hands out: the steps of a feed, without its end, or why it cannot go on. */
export type TransportEvent =
  Extract<FeedEvent, { kind: 'source' | 'media' }> | { readonly kind: 'rejected'; readonly detail: string };

type Source = Extract<FeedEvent, { kind: 'source' }>;
type Media = Extract<FeedEvent, { kind: 'media' }>;

/** Events in their order, with chunks held back while their `source` is not decided. */
export class ChunkOutput {
  #events: TransportEvent[] = [];
  #held: Media[] = [];
  #heldBytes = 0;
  #holding = true;

  /** Bytes held back. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Holds back everything that follows. */
  hold(): void {
    this.#holding = true;
  }

  /** Adds whole packets. */
  add(bytes: Uint8Array, randomAccess: boolean): void {
    const media: Media = { kind: 'media', bytes, randomAccess };
    if (!this.#holding) {
      this.#events.push(media);
      return;
    }
    this.#held.push(media);
    this.#heldBytes += bytes.length;
  }

  /** Lets go of what is held, after `source` where there is a new one. */
  release(source: Source | undefined): void {
    if (source !== undefined) {
      this.#events.push(source);
    }
    this.#events.push(...this.#held);
    this.discardHeld();
    this.#holding = false;
  }

  /** Throws away what is held before its first random access point, or all where `nextIsRandomAccess`. */
  discardBeforeRandomAccess(nextIsRandomAccess: boolean): void {
    const first = this.#held.findIndex((media) => media.randomAccess);
    if (first !== -1) {
      this.#held.splice(0, first);
    } else if (nextIsRandomAccess) {
      this.discardHeld();
    }
  }

  /** Throws away what is held. */
  discardHeld(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }

  /** Ends the output: what is held is of no use. */
  reject(detail: string): void {
    this.discardHeld();
    this.#events.push({ kind: 'rejected', detail });
  }

  /** Takes the events that are ready. */
  take(): readonly TransportEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}
