/** One feed's turn on air, as the pipeline sees it: a feed of its own that ends when the turn does. */

import type { FeedEnd, FeedEvent, MediaFeed } from '../ingest/media-feed.ts';

/** Hands events to one consumer, each when it is asked for: the producer waits as long. */
export class FeedOutput {
  readonly feed: MediaFeed;
  readonly #waiting: { readonly event: FeedEvent; readonly taken: () => void }[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  /** `heldSince` is when its first media was received; `close` is called when the consumer wants no more. */
  constructor(source: MediaFeed, heldSince: number | undefined, close: (detail: string) => void) {
    const { stream, protocol, container, remoteAddress } = source;
    const events = this.#consume(close);
    this.feed = { stream, protocol, container, remoteAddress, heldSince, events, close };
  }

  /** True while the consumer has not taken all it was given. */
  get isBehind(): boolean {
    return this.#waiting.length > 0;
  }

  /** Resolves when the event has been taken, or the turn is over. */
  put(event: FeedEvent): Promise<void> {
    if (this.#ended) {
      return Promise.resolve();
    }
    return new Promise((taken) => {
      this.#waiting.push({ event, taken });
      this.#wake?.();
    });
  }

  /** Ends the turn; what waits is still handed over. */
  end(end: FeedEnd): void {
    void this.put({ kind: 'end', end });
    this.#release();
  }

  #release(): void {
    this.#ended = true;
    for (const { taken } of this.#waiting) {
      taken();
    }
  }

  async *#consume(close: (detail: string) => void): AsyncGenerator<FeedEvent, void> {
    try {
      for (;;) {
        const next = this.#waiting.shift();
        if (next === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          continue;
        }
        next.taken();
        yield next.event;
        if (next.event.kind === 'end') {
          return;
        }
      }
    } finally {
      if (!this.#ended) {
        this.#release();
        close('nobody takes the feed any more');
      }
    }
  }
}
