/** Counts what a peer sends and says when to acknowledge it, RTMP 1.0 §5.4.3 and §5.4.4. */

import { acknowledgement, readUint32, type RtmpMessage } from './message.ts';

/**
 * The receiving side's account of one connection. Nothing is due before the peer states a window: an encoder
 * that never reads, as ffmpeg and librtmp while they publish, resets the connection when it closes with bytes
 * of ours unread, and its last frames are lost with that.
 */
export class AcknowledgementWindow {
  #window = Infinity;
  #received = 0;
  #acknowledged = 0;

  /** Takes a Window Acknowledgement Size message of the peer. */
  resize(payload: Uint8Array): void {
    this.#window = Math.max(1, readUint32(payload, 0) ?? Infinity);
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
