/** Events on their way to the pipeline: a queue bounded in bytes that tells its producer when to pause. */

import type { FeedEvent } from '../media-feed.ts';

/** Charged for an event besides its bytes, so that tiny events are bounded too. */
const EVENT_OVERHEAD_BYTES = 64;

/** One producer, one consumer. Ends after an `end` event. */
export class FeedQueue implements AsyncIterableIterator<FeedEvent, undefined, void> {
  readonly #limitBytes: number;
  readonly #onRoom: () => void;
  readonly #onAbandon: () => void;
  #events: FeedEvent[] = [];
  #bytes = 0;
  #wasFull = false;
  #finished = false;
  #waiting: ((result: IteratorResult<FeedEvent, undefined>) => void) | undefined;

  /** `onRoom` is called when a full queue is half empty again, `onAbandon` when the consumer leaves early. */
  constructor(options: {
    readonly limitBytes: number;
    readonly onRoom: () => void;
    readonly onAbandon: () => void;
  }) {
    this.#limitBytes = options.limitBytes;
    this.#onRoom = options.onRoom;
    this.#onAbandon = options.onAbandon;
  }

  /** Adds an event; after `end` nothing more is taken. Returns false when the producer should pause. */
  push(event: FeedEvent): boolean {
    if (this.#finished) {
      return false;
    }
    this.#finished = event.kind === 'end';
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting({ done: false, value: event });
      return true;
    }
    this.#events.push(event);
    this.#bytes += cost(event);
    this.#wasFull ||= this.#bytes >= this.#limitBytes;
    return !this.#wasFull;
  }

  next(): Promise<IteratorResult<FeedEvent, undefined>> {
    const event = this.#events.shift();
    if (event !== undefined) {
      this.#bytes -= cost(event);
      this.#announceRoom();
      return Promise.resolve({ done: false, value: event });
    }
    if (this.#finished) {
      return Promise.resolve({ done: true, value: undefined });
    }
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  return(): Promise<IteratorResult<FeedEvent, undefined>> {
    const abandoned = !this.#finished;
    this.#finished = true;
    this.#events = [];
    this.#bytes = 0;
    if (abandoned) {
      this.#onAbandon();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #announceRoom(): void {
    if (this.#wasFull && this.#bytes <= this.#limitBytes / 2) {
      this.#wasFull = false;
      this.#onRoom();
    }
  }
}

function cost(event: FeedEvent): number {
  switch (event.kind) {
    case 'media':
      return event.bytes.length + EVENT_OVERHEAD_BYTES;
    case 'source':
      return event.preamble.length + EVENT_OVERHEAD_BYTES;
    case 'end':
      return EVENT_OVERHEAD_BYTES;
  }
}
