/** The events of one feed between the socket and the pipeline, bounded in bytes by pausing the socket. */

import type { FeedEnd, FeedEvent } from '../media-feed.ts';

/** Marks and reactions of a queue. */
export interface FeedQueueOptions {
  readonly highBytes: number;
  readonly lowBytes: number;
  /** Called when the bytes waiting exceed `highBytes`. */
  readonly onFull: () => void;
  /** Called when they have fallen to `lowBytes` again. */
  readonly onDrained: () => void;
  /** Called when the consumer stops before the end. */
  readonly onAbandoned: () => void;
}

/** Holds the events of one feed; one consumer takes them. */
export class FeedQueue {
  readonly #options: FeedQueueOptions;
  #events: FeedEvent[] = [];
  #bytes = 0;
  #full = false;
  #ended = false;
  #wake: (() => void) | undefined;
  /** The events in their order; `end` is the last. */
  readonly events: AsyncIterable<FeedEvent>;

  constructor(options: FeedQueueOptions) {
    this.#options = options;
    this.events = this.#consume();
  }

  /** Adds an event; dropped after the end. */
  push(event: FeedEvent): void {
    if (this.#ended) {
      return;
    }
    this.#events.push(event);
    this.#bytes += eventBytes(event);
    if (!this.#full && this.#bytes > this.#options.highBytes) {
      this.#full = true;
      this.#options.onFull();
    }
    this.#wake?.();
  }

  /** Adds the last event. What waits stays, except when our own side ended the feed and wants no more of it. */
  end(end: FeedEnd): void {
    if (end.reason === 'closed') {
      this.#events = [];
      this.#bytes = 0;
    }
    this.push({ kind: 'end', end });
    this.#ended = true;
  }

  async *#consume(): AsyncGenerator<FeedEvent, void> {
    try {
      for (;;) {
        const event = this.#take();
        if (event === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          continue;
        }
        yield event;
        if (event.kind === 'end') {
          return;
        }
      }
    } finally {
      if (!this.#ended) {
        this.#options.onAbandoned();
      }
    }
  }

  #take(): FeedEvent | undefined {
    const event = this.#events.shift();
    if (event === undefined) {
      return undefined;
    }
    this.#bytes -= eventBytes(event);
    if (this.#full && this.#bytes <= this.#options.lowBytes) {
      this.#full = false;
      this.#options.onDrained();
    }
    return event;
  }
}

function eventBytes(event: FeedEvent): number {
  switch (event.kind) {
    case 'media':
      return event.bytes.length;
    case 'source':
      return event.preamble.length;
    case 'end':
      return 0;
  }
}
