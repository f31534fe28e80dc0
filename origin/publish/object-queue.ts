/** Objects on their way to storage, oldest first, and the bytes of them that are in memory. */

import type { SpooledObject } from './spool.ts';

/** An object that waits; its bytes are in memory, on disk, or both. */
export interface QueuedObject {
  readonly key: string;
  readonly contentType: string;
  readonly size: number;
  readonly order: number;
  readonly bytes: Uint8Array | undefined;
  readonly spooled: SpooledObject | undefined;
}

/** A queue whose bytes count until an object is forgotten, so that what travels is counted as well. */
export class ObjectQueue {
  #objects: QueuedObject[] = [];
  #memoryBytes = 0;
  #next = 0;

  /** Objects that wait. */
  get length(): number {
    return this.#objects.length;
  }

  /** Bytes in memory of what was added and not forgotten. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** What waits, oldest first. */
  get waiting(): readonly QueuedObject[] {
    return this.#objects;
  }

  /** Adds an object as the newest. */
  add(object: Omit<QueuedObject, 'order'>): void {
    this.#objects.push({ ...object, order: this.#next });
    this.#next += 1;
    this.#memoryBytes += object.bytes?.length ?? 0;
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

  /** Takes out all for which `picked` says so. */
  takeWhere(picked: (object: QueuedObject) => boolean): readonly QueuedObject[] {
    const taken = this.#objects.filter(picked);
    this.#objects = this.#objects.filter((object) => !picked(object));
    return taken;
  }

  /** Ends the account of an object that was taken. */
  forget(object: QueuedObject): void {
    this.#memoryBytes -= object.bytes?.length ?? 0;
  }
}
