/** Waits for any of many SRT sockets off the event loop, with one libsrt epoll set for all. */

import { allocateStable } from './libsrt-functions.ts';
import type { LibSrt } from './libsrt.ts';
import { SRT_EPOLL_ENABLE_EMPTY, SRT_EPOLL_ERR, SRT_EPOLL_IN, type SrtSocket } from './srt-constants.ts';

/** Sockets reported at once; more are reported by the next wait. */
const EVENTS_PER_WAIT = 256;
const EVENT_BYTES = 8;
/** Longest single wait, milliseconds. Changes of the set are seen within libsrt's own 10 ms; this is a safety net. */
const WAIT_MILLISECONDS = 500;
const LITTLE_ENDIAN = true;

/**
 * An epoll set. Each wait occupies one thread of libuv's pool (4 by default) whatever the number of sockets; the
 * others stay free for files and name resolution.
 */
export class SrtReadiness {
  readonly #lib: LibSrt;
  readonly #epoll: number;
  readonly #events = allocateStable(EVENTS_PER_WAIT * EVENT_BYTES);
  #closed = false;

  constructor(lib: LibSrt) {
    this.#lib = lib;
    this.#epoll = lib.functions.epoll_create();
    lib.functions.epoll_set(this.#epoll, SRT_EPOLL_ENABLE_EMPTY);
  }

  /** Adds a socket: it is reported as long as something can be received, accepted, or it is broken. */
  watch(socket: SrtSocket): void {
    const interest = Buffer.alloc(4);
    interest.writeInt32LE(SRT_EPOLL_IN | SRT_EPOLL_ERR);
    this.#lib.functions.epoll_add_usock(this.#epoll, socket, interest);
  }

  /** Takes a socket out. */
  unwatch(socket: SrtSocket): void {
    this.#lib.functions.epoll_remove_usock(this.#epoll, socket);
  }

  /** Ends the set; a wait under way returns within libsrt's 10 ms. */
  close(): void {
    this.#closed = true;
    this.#lib.functions.epoll_release(this.#epoll);
  }

  /** Yields the sockets that are ready, each time some are, until closed. Throws when libsrt refuses to wait. */
  async *ready(): AsyncGenerator<readonly SrtSocket[], void, void> {
    try {
      while (!this.#closed) {
        const count = await this.#wait();
        if (count < 0 && !this.#closed) {
          throw new Error('srt_epoll_uwait failed; SRT ingest cannot go on');
        }
        if (count > 0) {
          yield this.#sockets(count);
        }
      }
    } finally {
      this.#events.free();
    }
  }

  async #wait(): Promise<number> {
    const { pointer } = this.#events;
    return await this.#lib.functions.epoll_uwait(this.#epoll, pointer, EVENTS_PER_WAIT, WAIT_MILLISECONDS);
  }

  #sockets(count: number): readonly SrtSocket[] {
    const { view } = this.#events;
    const reported = Math.min(count, EVENTS_PER_WAIT);
    return Array.from({ length: reported }, (_, index) => view.getInt32(index * EVENT_BYTES, LITTLE_ENDIAN));
  }
}
