/**
 * Answers that a cache object is fetching, for the other requests of this process that want them: thousands of
 * blocked viewers then wait where they are, without a hop to the object and an answer back for each of them.
 *
 * The promise belongs to the object's context. Should that be gone, it is never settled; so the first few who
 * join go to the object all the same, which keeps it alive when the one who asked first goes away, and nobody
 * waits here without end.
 */

import type { Answer } from './answer-store.ts';

/** How many who want the same go to the object. */
const COMPANIONS = 8;
/** Longest wait here, milliseconds; most holds last a part. Who has waited for so long asks the object. */
const JOIN_LIMIT_MS = 10_000;
/** Most keys that are known here; others are asked of their object. */
const MAX_FLIGHTS = 16_384;

interface Flight {
  readonly answer: Promise<Answer | undefined>;
  companions: number;
}

/** What is being fetched in this process, by key. */
export class Flights {
  readonly #flights = new Map<string, Flight>();

  /** Says that the answer to a key is being fetched; `undefined` when it cannot be shared. */
  announce(key: string, answer: Promise<Answer | undefined>): void {
    if (this.#flights.size < MAX_FLIGHTS) {
      this.#flights.set(key, { answer, companions: COMPANIONS });
    }
  }

  /** Says that it has been fetched, or that it failed. */
  land(key: string): void {
    this.#flights.delete(key);
  }

  /** Whether the answer to a key is being fetched. */
  has(key: string): boolean {
    return this.#flights.has(key);
  }

  /** Waits for what is being fetched; `undefined` where the object has to be asked. */
  async join(key: string): Promise<Answer | undefined> {
    const flight = this.#flights.get(key);
    if (flight === undefined || flight.companions > 0) {
      if (flight !== undefined) {
        flight.companions -= 1;
      }
      return undefined;
    }
    let timer: ReturnType<typeof setTimeout> | null = null;
    const limit = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), JOIN_LIMIT_MS);
    });
    try {
      return await Promise.race([flight.answer, limit]);
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }
}
