/** The server's side of the simple handshake, RTMP 1.0 §5.2. */

import { RtmpProtocolError } from './protocol-error.ts';
import { describeForeignBytes } from './foreign-protocol.ts';

/** Bytes of C1, C2, S1 and S2. */
export const HANDSHAKE_BYTES = 1536;

const VERSION = 3;
const EMPTY = new Uint8Array(0);
/** Time and zero, which come before the random bytes of S1. */
const S1_FIXED_BYTES = 8;

/** What the handshake asks for next. */
export interface HandshakeStep {
  /** Bytes to send; empty where there are none. */
  readonly reply: Uint8Array;
  /** Set once the handshake is over: the bytes that came behind C2. */
  readonly rest: Uint8Array | undefined;
}

/** Takes the client's bytes in any portions. C1 may hold anything and C2 is not compared: real encoders differ. */
export class ServerHandshake {
  readonly #random: Uint8Array;
  #received = EMPTY;
  #answered = false;

  /** `random` are the 1528 random bytes of S1. */
  constructor(random: Uint8Array) {
    this.#random = random;
  }

  /** Takes the next bytes; throws {@link RtmpProtocolError} `not-rtmp` when they are of another protocol. */
  take(bytes: Uint8Array): HandshakeStep {
    this.#received = Buffer.concat([this.#received, bytes]);
    if (this.#received.length > 0 && this.#received[0] !== VERSION) {
      throw new RtmpProtocolError('not-rtmp', `not RTMP: looks like ${describeForeignBytes(this.#received)}`);
    }
    const reply = this.#reply();
    const end = 1 + 2 * HANDSHAKE_BYTES;
    const over = this.#received.length >= end;
    return { reply, rest: over ? this.#received.subarray(end) : undefined };
  }

  #reply(): Uint8Array {
    if (this.#answered || this.#received.length < 1 + HANDSHAKE_BYTES) {
      return EMPTY;
    }
    this.#answered = true;
    const reply = new Uint8Array(1 + 2 * HANDSHAKE_BYTES);
    reply[0] = VERSION;
    reply.set(this.#random.subarray(0, HANDSHAKE_BYTES - S1_FIXED_BYTES), 1 + S1_FIXED_BYTES);
    reply.set(this.#received.subarray(1, 1 + HANDSHAKE_BYTES), 1 + HANDSHAKE_BYTES);
    return reply;
  }
}
