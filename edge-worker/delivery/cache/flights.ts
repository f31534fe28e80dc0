/**
 * Answers that a cache object is fetching, for the other requests of this process that want them: thousands of
 * blocked viewers then wait where they are, without a hop to the object and an answer back for each of them.
 *
 * The answer comes from the object's context. Should that be gone, it never comes; so the first few who join go to
 * the object all the same, which keeps it alive when the one who asked first goes away. And of those who wait here
 * one in some has a limit that ends the wait of all, since a timer for each would be a fifth of what they cost.
 */

import type { Answer } from './answer-store.ts';

/** How many who want the same go to the object. */
const COMPANIONS = 8;
/** Of so many who wait one has a timer: few enough to cost nothing, often enough that some of them stay. */
const TIMED_EVERY = 32;
/** Longest wait here, milliseconds; most holds last a part. Who has waited for so long asks the object. */
const JOIN_LIMIT_MS = 10_000;
/** Most keys that are known here; others are asked of their object. */
const MAX_FLIGHTS = 16_384;

interface Flight {
  /** `undefined` where the object has to be asked. */
  readonly answer: Promise<Answer | undefined>;
  readonly settle: (answer: Answer | undefined) => void;
  joined: number;
}

/** What is being fetched in this process, by key. */
export class Flights {
  readonly #flights = new Map<string, Flight>();

  /** Says that the answer to a key is being fetched; `undefined` when it cannot be shared. */
  announce(key: string, answer: Promise<Answer | undefined>): void {
    if (this.#flights.size >= MAX_FLIGHTS) {
      return;
    }
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    this.#flights.set(key, { answer: promise, settle: resolve, joined: 0 });
    answer.then(resolve, () => resolve(undefined));
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
    if (flight === undefined) {
      return undefined;
    }
    flight.joined += 1;
    const place = flight.joined - COMPANIONS;
    if (place <= 0) {
      return undefined;
    }
    return place % TIMED_EVERY === 1 ? waitWithLimit(flight) : flight.answer;
  }
}

/** Waits; after the limit nobody waits for the flight any longer. */
async function waitWithLimit({ answer, settle }: Flight): Promise<Answer | undefined> {
  const timer = setTimeout(() => settle(undefined), JOIN_LIMIT_MS);
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
  }
}
