/** Objects in memory on their way to storage, oldest first, and the bytes that they hold. */

import type { StoredObject } from './spool.ts';

/** An object in memory. */
export type QueuedObject = StoredObject & {
  readonly order: number;
  /** When it was written, Unix milliseconds. */
  readonly at: number;
};

/** A queue whose bytes count until an object is forgotten, so that what travels is counted as well. */
export class ObjectQueue {
  #objects: QueuedObject[] = [];
  #bytes = 0;
  #next: number;

  /** `firstOrder` is the position of the first object. */
  constructor(firstOrder: number) {
    this.#next = firstOrder;
  }

  /** Objects that wait. */
  get length(): number {
    return this.#objects.length;
  }

  /** Bytes of what was added and not forgotten. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The object that waits longest. */
  get oldest(): QueuedObject | undefined {
    return this.#objects[0];
  }

  /** Adds an object as the newest. */
  add(object: StoredObject, now: number): void {
    this.#objects.push({ ...object, order: this.#next, at: now });
    this.#next += 1;
    this.#bytes += object.bytes.length;
  }

  /** Takes the object that waits longest; its bytes count until it is forgotten. */
  take(): QueuedObject | undefined {
    return this.#objects.shift();
  }

  /** Puts an object that was taken back to its place. */
  putBack(object: QueuedObject): void {
    const at = this.#objects.findIndex((other) => other.order > object.order);
    this.#objects.splice(at === -1 ? this.#objects.length : at, 0, object);
  }

  /** Ends the account of an object that was taken. */
  forget(object: QueuedObject): void {
    this.#bytes -= object.bytes.length;
  }
}
