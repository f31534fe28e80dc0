/** Counts what a peer sends and says when to acknowledge it, RTMP 1.0 §5.4.3 and §5.4.4. */

import { acknowledgement, readUint32, type RtmpMessage } from './message.ts';

/** Acknowledged after this many bytes until the peer states its own window. */
const DEFAULT_WINDOW_BYTES = 2_500_000;

/** The receiving side's account of one connection. */
export class AcknowledgementWindow {
  #window = DEFAULT_WINDOW_BYTES;
  #received = 0;
  #acknowledged = 0;

  /** Takes a Window Acknowledgement Size message of the peer. */
  resize(payload: Uint8Array): void {
    this.#window = Math.max(1, readUint32(payload, 0) ?? DEFAULT_WINDOW_BYTES);
  }

  /** Counts bytes and returns the Acknowledgement that is due, if one is. */
  count(bytes: number): RtmpMessage | undefined {
    this.#received += bytes;
    if (this.#received - this.#acknowledged < this.#window) {
      return undefined;
    }
    this.#acknowledged = this.#received;
    return acknowledgement(this.#received);
  }
}
