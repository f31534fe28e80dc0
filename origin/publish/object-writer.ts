/**
 * Writes objects to storage behind the origin's back: on local disk first, then several at once and repeated until
 * they are there. Nobody waits for storage, so it never delays the live edge.
 */

import { pause, retryDelay } from '../backoff.ts';
import { Changes } from './changes.ts';
import { FaultLog } from './fault-log.ts';
import type { ObjectStoreFailure } from './s3-request.ts';
import {
  OBJECT_WRITER_LIMITS,
  type ObjectWriterLimits,
  type ObjectWriterOptions,
  type ObjectWriterStats,
} from './object-writer-limits.ts';
import { ObjectQueue, type QueuedObject } from './object-queue.ts';
import { Spool, type SpooledObject, type StoredObject } from './spool.ts';

/** Opens a writer and at once begins to upload what an earlier run left on disk. */
export async function openObjectWriter(options: ObjectWriterOptions): Promise<ObjectWriter> {
  const limits = { ...OBJECT_WRITER_LIMITS, ...options.limits };
  const { spool, left } = await Spool.open(options.spoolFolder, limits.spoolBytes);
  if (left.length > 0) {
    options.log.info({ objects: left.length, bytes: spool.bytes }, 'uploading objects of an earlier run');
  }
  return new ObjectWriter(options, limits, spool, left);
}

const STOPPING = 'the origin is stopping and its disk takes nothing';

/** A queue of objects; made by {@link openObjectWriter}. */
export class ObjectWriter {
  readonly #options: ObjectWriterOptions;
  readonly #limits: ObjectWriterLimits;
  readonly #spool: Spool;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #abort = new AbortController();
  readonly #refusals = new Map<string, number>();
  readonly #counts = {
    uploadedObjects: 0,
    uploadedBytes: 0,
    failedRequests: 0,
    droppedObjects: 0,
    droppedBytes: 0,
    unspooledObjects: 0,
    slowestSpoolMs: 0,
  };
  readonly #queue = new ObjectQueue();
  readonly #faults: FaultLog;
  #inFlight = 0;
  #attempt = 0;
  #resting = false;
  #closed = false;
  #diskFault: string | undefined;
  readonly #changes = new Changes();

  constructor(
    options: ObjectWriterOptions,
    limits: ObjectWriterLimits,
    spool: Spool,
    left: readonly SpooledObject[],
  ) {
    this.#options = options;
    this.#limits = limits;
    this.#spool = spool;
    this.#now = options.now ?? (() => performance.now());
    this.#random = options.random ?? Math.random;
    this.#faults = new FaultLog(options.log, this.#now);
    for (const spooled of left) {
      const { key, contentType, size } = spooled;
      this.#queue.add({ key, contentType, size, bytes: undefined, spooled });
    }
    this.#pump();
  }

  /** Numbers for status and metrics. */
  get stats(): ObjectWriterStats {
    const onDisk = this.#queue.waiting.filter((object) => object.bytes === undefined);
    return {
      ...this.#counts,
      pendingObjects: this.#queue.length - onDisk.length + this.#inFlight,
      pendingBytes: this.#queue.memoryBytes,
      spooledObjects: onDisk.length,
      spooledBytes: onDisk.reduce((sum, object) => sum + object.size, 0),
      spoolFileBytes: this.#spool.bytes,
      away: this.#attempt > 0,
      diskFault: this.#diskFault,
    };
  }

  /**
   * Takes an object: it is on disk when this returns, where the disk takes it. Its bytes are kept, not copied, and
   * may not change afterwards.
   */
  write(object: StoredObject): void {
    const { key, contentType, bytes } = object;
    const { length: size } = bytes;
    const spooled = this.#append(object);
    if (this.#closed && spooled === undefined) {
      this.#drop({ key, size }, STOPPING);
      return;
    }
    this.#counts.unspooledObjects += Number(spooled === undefined);
    const inMemory = spooled === undefined || this.#queue.memoryBytes + size <= this.#limits.memoryBytes;
    this.#queue.add({ key, contentType, size, bytes: inMemory ? bytes : undefined, spooled });
    this.#boundMemory();
    this.#pump();
  }

  /** Resolves once every object is in storage (true) or after `withinMs` (false). */
  async flush(withinMs: number): Promise<boolean> {
    const stop = new AbortController();
    const deadline = pause(withinMs, stop.signal).then(() => stop.abort());
    while (!this.#isIdle() && !stop.signal.aborted) {
      await Promise.race([this.#changes.next(), deadline]);
    }
    stop.abort();
    return this.#isIdle();
  }

  /** Uploads for `withinMs` more; what is left stays on disk for the next run. */
  async close(withinMs: number): Promise<void> {
    await this.flush(withinMs);
    this.#closed = true;
    this.#abort.abort();
    while (this.#inFlight > 0) {
      await this.#changes.next();
    }
    for (const object of this.#queue.takeWhere(({ spooled }) => spooled === undefined)) {
      this.#queue.forget(object);
      if (object.bytes === undefined || this.#append({ ...object, bytes: object.bytes }) === undefined) {
        this.#drop(object, STOPPING);
      }
    }
    this.#spool.close();
  }

  #pump(): void {
    const concurrency = this.#attempt > 0 ? 1 : this.#limits.concurrency;
    while (!this.#closed && !this.#resting && this.#inFlight < concurrency) {
      const object = this.#queue.take();
      if (object === undefined) {
        return;
      }
      this.#inFlight += 1;
      void this.#upload(object);
    }
  }

  async #upload(object: QueuedObject): Promise<void> {
    try {
      const bytes = object.bytes ?? (await this.#readSpooled(object));
      const result = await this.#options.store.put(object.key, bytes, object.contentType, this.#abort.signal);
      if (result.ok) {
        this.#uploaded(object);
      } else {
        this.#failed(object, result.failure);
      }
    } catch (error) {
      this.#giveUp(object, error instanceof Error ? error.message : String(error));
    }
    this.#inFlight -= 1;
    this.#pump();
    this.#changes.notify();
  }

  #readSpooled({ key, spooled }: QueuedObject): Promise<Uint8Array> {
    if (spooled === undefined) {
      throw new RangeError(`${key} is neither in memory nor on disk`);
    }
    return this.#spool.read(spooled);
  }

  #uploaded(object: QueuedObject): void {
    this.#options.onSettled?.(object.key, 'stored');
    this.#counts.uploadedObjects += 1;
    this.#counts.uploadedBytes += object.size;
    this.#attempt = 0;
    this.#faults.succeeded({ waiting: this.#queue.length });
    this.#forget(object);
  }

  #failed(object: QueuedObject, failure: ObjectStoreFailure): void {
    if (this.#closed) {
      this.#queue.putBack(object);
      return;
    }
    this.#counts.failedRequests += 1;
    if (failure.reason === 'refused') {
      const refusals = (this.#refusals.get(object.key) ?? 0) + 1;
      if (refusals >= this.#limits.refusedTries) {
        this.#giveUp(object, failure.detail);
        return;
      }
      this.#refusals.set(object.key, refusals);
    }
    this.#queue.putBack(object);
    this.#rest(failure);
  }

  /** Gives storage time; one object then probes whether it is back before all others follow. */
  #rest(failure: ObjectStoreFailure): void {
    this.#faults.failed(failure.detail, { waiting: this.#queue.length });
    if (this.#resting) {
      return;
    }
    this.#attempt += 1;
    this.#resting = true;
    const delay = retryDelay(this.#attempt, this.#limits.retry, this.#random());
    void pause(delay, this.#abort.signal).then(() => {
      this.#resting = false;
      this.#pump();
    });
  }

  #giveUp(object: QueuedObject, why: string): void {
    this.#drop(object, why);
    this.#forget(object);
  }

  #forget(object: QueuedObject): void {
    this.#refusals.delete(object.key);
    this.#queue.forget(object);
    if (object.spooled !== undefined) {
      this.#spool.settle(object.spooled);
    }
  }

  /** Writes to disk; where that has no room, what is oldest there makes some, unless memory can still hold it. */
  #append(object: StoredObject): SpooledObject | undefined {
    const began = this.#now();
    let spooled = this.#tryAppend(object);
    while (spooled === undefined && this.#mustMakeRoom(object.bytes.length) && this.#dropOldestFile()) {
      spooled = this.#tryAppend(object);
    }
    this.#counts.slowestSpoolMs = Math.max(this.#counts.slowestSpoolMs, this.#now() - began);
    return spooled;
  }

  #tryAppend(object: StoredObject): SpooledObject | undefined {
    let fault: string | undefined;
    let spooled: SpooledObject | undefined;
    try {
      spooled = this.#spool.append(object);
      fault = spooled === undefined ? 'the spool is full' : undefined;
    } catch (error) {
      fault = `the spool cannot be written: ${String(error)}`;
    }
    if (fault !== undefined && this.#diskFault === undefined) {
      this.#options.log.error(
        { folder: this.#options.spoolFolder, bytes: this.#spool.bytes },
        `${fault}; objects are kept in memory alone: free disk space, or raise RILL_SPOOL_MIB`,
      );
    } else if (fault === undefined && this.#diskFault !== undefined) {
      this.#options.log.info('the spool takes objects again');
    }
    this.#diskFault = fault;
    return spooled;
  }

  #mustMakeRoom(size: number): boolean {
    return this.#closed || this.#queue.memoryBytes + size > this.#limits.memoryBytes;
  }

  #dropOldestFile(): boolean {
    const oldest = this.#spool.oldestFile();
    const dropped = this.#queue.takeWhere(({ spooled }) => spooled !== undefined && spooled.file === oldest);
    for (const object of dropped) {
      this.#giveUp(object, 'no room in the spool folder');
    }
    return dropped.length > 0;
  }

  /** What has no place on disk either: the oldest goes. */
  #boundMemory(): void {
    while (this.#queue.memoryBytes > this.#limits.memoryBytes) {
      const oldest = this.#queue.waiting.find(({ bytes }) => bytes !== undefined);
      if (oldest === undefined) {
        return;
      }
      this.#queue.takeWhere((object) => object === oldest);
      if (oldest.spooled === undefined) {
        this.#giveUp(oldest, 'storage is away, and disk and memory are full');
      } else {
        this.#queue.forget(oldest);
        this.#queue.putBack({ ...oldest, bytes: undefined });
      }
    }
  }

  #drop({ key, size }: { readonly key: string; readonly size: number }, why: string): void {
    this.#options.onSettled?.(key, 'lost');
    this.#counts.droppedObjects += 1;
    this.#counts.droppedBytes += size;
    this.#faults.lost(key, this.#counts.droppedObjects, why);
  }

  #isIdle(): boolean {
    return this.#queue.length + this.#inFlight === 0;
  }
}
