/** When a socket is read: never while somebody holds it, and no faster than a rate. */

import type { Socket } from 'node:net';

/** Shortest pause, milliseconds: timers are no finer, and each pause costs one. */
const MIN_PAUSE_MS = 5;
const MS_PER_SECOND = 1_000;

/** A rate that a publisher is held to. */
export interface FlowRate {
  /** What may come in one second; as much may come at once after a rest. */
  readonly bytesPerSecond: number;
  /** Told each time when the socket has to wait for it. */
  readonly onLimited: () => void;
}

/** Pauses and resumes one socket for several reasons at once; the sender feels it as TCP back-pressure. */
export class FlowControl {
  readonly #socket: Socket;
  readonly #rate: FlowRate | undefined;
  #held = false;
  #limited: NodeJS.Timeout | undefined;
  #left: number;
  #at = performance.now();

  /** No `rate`: as fast as it comes. */
  constructor(socket: Socket, rate: FlowRate | undefined) {
    this.#socket = socket;
    this.#rate = rate;
    this.#left = rate?.bytesPerSecond ?? 0;
    socket.once('close', () => clearTimeout(this.#limited));
  }

  /** Counts what was read, and stops reading until the rate allows more. */
  count(bytes: number): void {
    if (this.#rate === undefined) {
      return;
    }
    const { bytesPerSecond, onLimited } = this.#rate;
    const now = performance.now();
    const refilled = this.#left + ((now - this.#at) / MS_PER_SECOND) * bytesPerSecond;
    this.#left = Math.min(bytesPerSecond, refilled) - bytes;
    this.#at = now;
    if (this.#left >= 0 || this.#limited !== undefined || this.#socket.destroyed) {
      return;
    }
    onLimited();
    this.#socket.pause();
    const pauseMs = Math.max(MIN_PAUSE_MS, (-this.#left * MS_PER_SECOND) / bytesPerSecond);
    this.#limited = setTimeout(() => {
      this.#limited = undefined;
      this.#flow();
    }, pauseMs);
  }

  /** Stops reading until {@link release}. */
  hold(): void {
    this.#held = true;
    this.#socket.pause();
  }

  /** Reads on, as soon as the rate allows. */
  release(): void {
    this.#held = false;
    this.#flow();
  }

  #flow(): void {
    if (!this.#held && this.#limited === undefined) {
      this.#socket.resume();
    }
  }
}
