/** Receives SRT messages side by side into blocks, so that what comes in one turn goes on as one view without copies. */

import { MAX_PAYLOAD_BYTES } from './srt-constants.ts';

/** What one look brought. */
export interface InboxTurn {
  /** Messages received, joined; the bytes never change afterwards. */
  readonly bytes: Uint8Array;
  readonly messages: number;
  /** `more` may wait, the socket is `empty`, or it is `lost`. */
  readonly next: 'more' | 'empty' | 'lost';
}

/** Bytes of a block: 64 messages, 170 ms at 4 Mbit/s. */
const BLOCK_BYTES = 64 * MAX_PAYLOAD_BYTES;

/** The blocks of one connection. */
export class Inbox {
  readonly #receive: (buffer: Uint8Array) => number | undefined | 'lost';
  #block = Buffer.alloc(0);
  #used = 0;

  /** `receive` puts one message into a buffer and returns its bytes, `undefined` where none waits, or `lost`. */
  constructor(receive: (buffer: Uint8Array) => number | undefined | 'lost') {
    this.#receive = receive;
  }

  /** Receives up to `limit` messages, or as many as one block takes. */
  take(limit: number): InboxTurn {
    if (!this.#hasRoom()) {
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#used = 0;
    }
    const start = this.#used;
    let messages = 0;
    let next: InboxTurn['next'] = 'more';
    while (messages < limit && next === 'more' && this.#hasRoom()) {
      const received = this.#receive(this.#block.subarray(this.#used));
      if (typeof received === 'number') {
        this.#used += received;
        messages += 1;
      } else {
        next = received ?? 'empty';
      }
    }
    return { bytes: this.#block.subarray(start, this.#used), messages, next };
  }

  #hasRoom(): boolean {
    return this.#block.length - this.#used >= MAX_PAYLOAD_BYTES;
  }
}
