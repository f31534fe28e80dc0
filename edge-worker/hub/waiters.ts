/** Requests that are held until the live window has what they ask for. */

/** How a hold ended. */
export type HoldEnd = 'released' | 'timed-out' | 'too-many';

interface Waiter {
  readonly deadline: number;
  readonly resolve: (end: HoldEnd) => void;
}

interface Group<C> {
  readonly condition: C;
  /** In the order of their deadlines: who asks for the same is held until the same time, or equally long. */
  readonly waiters: Waiter[];
}

/** Held requests, grouped by what they wait for, so that an update looks at each condition once. */
export class Waiters<C> {
  readonly #limit: number;
  readonly #groups = new Map<string, Group<C>>();
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer is due, Unix milliseconds. */
  #due = Infinity;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many requests are held. */
  get count(): number {
    return this.#count;
  }

  /** Holds a request until its condition is released or `milliseconds` have passed. `key` names the condition. */
  hold(key: string, condition: C, milliseconds: number): Promise<HoldEnd> {
    if (this.#count >= this.#limit) {
      return Promise.resolve('too-many');
    }
    const { promise, resolve } = Promise.withResolvers<HoldEnd>();
    const group = this.#groups.get(key) ?? { condition, waiters: [] };
    this.#groups.set(key, group);
    const deadline = Date.now() + milliseconds;
    group.waiters.push({ deadline, resolve });
    this.#count += 1;
    if (deadline < this.#due) {
      this.#wakeAt(deadline);
    }
    return promise;
  }

  /** Releases, in this turn, every request whose condition is settled. */
  release(isSettled: (condition: C) => boolean): void {
    for (const [key, group] of this.#groups) {
      if (isSettled(group.condition)) {
        this.#groups.delete(key);
        this.#resolve(group.waiters, 'released');
      }
    }
    this.#schedule();
  }

  #expire(): void {
    const now = Date.now();
    for (const [key, group] of this.#groups) {
      const firstAlive = group.waiters.findIndex((waiter) => waiter.deadline > now);
      const expired = group.waiters.splice(0, firstAlive < 0 ? group.waiters.length : firstAlive);
      this.#resolve(expired, 'timed-out');
      if (group.waiters.length === 0) {
        this.#groups.delete(key);
      }
    }
    this.#schedule();
  }

  #resolve(waiters: readonly Waiter[], end: HoldEnd): void {
    this.#count -= waiters.length;
    for (const waiter of waiters) {
      waiter.resolve(end);
    }
  }

  /** One timer for the earliest deadline, not one for each of thousands of requests. */
  #schedule(): void {
    let earliest = Infinity;
    for (const group of this.#groups.values()) {
      earliest = Math.min(earliest, group.waiters[0]?.deadline ?? Infinity);
    }
    this.#wakeAt(earliest);
  }

  #wakeAt(due: number): void {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
    }
    this.#due = due;
    this.#timer =
      due === Infinity ? undefined : setTimeout(() => this.#expire(), Math.max(1, due - Date.now()));
  }
}
