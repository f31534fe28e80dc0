/**
 * Writes objects to storage behind the origin's back: several at once, repeated until they are there, on
 * local disk while storage is away. Nobody waits for it, so storage never delays the live edge.
 */

import { pause, retryDelay } from '../backoff.ts';
import { Changes } from './changes.ts';
import type { ObjectStoreFailure } from './object-store.ts';
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
  const spool = await Spool.open(options.spoolFolder, limits.spoolBytes);
  if (spool.length > 0) {
    options.log.info({ objects: spool.length, bytes: spool.bytes }, 'uploading objects of an earlier run');
  }
  return new ObjectWriter(options, limits, spool);
}

type Job =
  | { readonly kind: 'memory'; readonly object: QueuedObject }
  | { readonly kind: 'spool'; readonly entry: SpooledObject };
type Dropped = { readonly key: string; readonly size: number };

/** A log line about lost objects at most so often, milliseconds: a full disk loses hundreds a second. */
const DROP_LOG_MS = 10_000;
/** Failed tries between two log lines while storage is away: about a minute at the longest wait. */
const TRIES_PER_LOG = 12;
/** Beyond this many times the memory bound the disk is too slow as well, and the oldest objects are given up. */
const MEMORY_OVERDRAFT = 2;

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
  };
  readonly #queue: ObjectQueue;
  #inFlight = 0;
  #attempt = 0;
  #resting = false;
  #spilling = false;
  #closed = false;
  #dropLoggedAt = Number.NEGATIVE_INFINITY;
  readonly #changes = new Changes();

  constructor(options: ObjectWriterOptions, limits: ObjectWriterLimits, spool: Spool) {
    this.#options = options;
    this.#limits = limits;
    this.#spool = spool;
    this.#queue = new ObjectQueue(spool.nextOrder);
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
    this.#pump();
  }

  /** Numbers for status and metrics. */
  get stats(): ObjectWriterStats {
    return {
      ...this.#counts,
      pendingObjects: this.#queue.length + this.#inFlight,
      pendingBytes: this.#queue.bytes,
      spooledObjects: this.#spool.length,
      spooledBytes: this.#spool.bytes,
      away: this.#attempt > 0,
    };
  }

  /** Takes an object; its bytes are kept, not copied, and may not change afterwards. */
  write(object: StoredObject): void {
    if (this.#closed) {
      this.#drop([{ key: object.key, size: object.bytes.length }], 'the origin is stopping');
      return;
    }
    this.#queue.add(object, this.#now());
    this.#boundMemory();
    this.#pump();
    this.#spillIfNeeded();
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

  /** Uploads for `withinMs` more, then moves what is left to disk for the next run. */
  async close(withinMs: number): Promise<void> {
    await this.flush(withinMs);
    this.#closed = true;
    this.#abort.abort();
    while (this.#inFlight > 0 || this.#spilling) {
      await this.#changes.next();
    }
    await this.#spill(() => true);
  }

  #pump(): void {
    const concurrency = this.#attempt > 0 ? 1 : this.#limits.concurrency;
    while (!this.#closed && !this.#resting && this.#inFlight < concurrency) {
      const job = this.#take();
      if (job === undefined) {
        return;
      }
      this.#inFlight += 1;
      void this.#upload(job);
    }
  }

  #take(): Job | undefined {
    const onDisk = this.#spool.oldestOrder;
    const inMemory = this.#queue.oldest?.order;
    if (this.#attempt > 0 && this.#spilling) {
      // What is being moved to disk is older than the rest; the end of the move asks again.
      return undefined;
    }
    if (onDisk !== undefined && (inMemory === undefined || onDisk < inMemory)) {
      const entry = this.#spool.take();
      return entry && { kind: 'spool', entry };
    }
    const object = this.#queue.take();
    return object && { kind: 'memory', object };
  }

  async #upload(job: Job): Promise<void> {
    try {
      const object = job.kind === 'memory' ? job.object : await this.#readSpooled(job.entry);
      const { key, bytes, contentType } = object;
      const result = await this.#options.store.put(key, bytes, contentType, this.#abort.signal);
      await (result.ok ? this.#uploaded(job, bytes.length) : this.#failed(job, result.failure));
    } catch (error) {
      await this.#giveUp(job, error instanceof Error ? error.message : String(error));
    }
    this.#inFlight -= 1;
    this.#pump();
    this.#spillIfNeeded();
    this.#changes.notify();
  }

  async #readSpooled(entry: SpooledObject): Promise<StoredObject> {
    return { key: entry.key, contentType: entry.contentType, bytes: await this.#spool.read(entry) };
  }

  async #uploaded(job: Job, size: number): Promise<void> {
    this.#counts.uploadedObjects += 1;
    this.#counts.uploadedBytes += size;
    if (this.#attempt > 0) {
      this.#attempt = 0;
      this.#options.log.info({ spooled: this.#spool.length }, 'object storage takes objects again');
    }
    this.#options.onSettled?.(job.kind === 'memory' ? job.object.key : job.entry.key, 'stored');
    await this.#forget(job);
  }

  async #failed(job: Job, failure: ObjectStoreFailure): Promise<void> {
    if (this.#closed) {
      this.#putBack(job);
      return;
    }
    this.#counts.failedRequests += 1;
    const { key } = job.kind === 'memory' ? job.object : job.entry;
    const refusals = (this.#refusals.get(key) ?? 0) + 1;
    if (failure.reason === 'refused' && refusals >= this.#limits.refusedTries) {
      await this.#giveUp(job, failure.detail);
      return;
    }
    if (failure.reason === 'refused') {
      this.#refusals.set(key, refusals);
    }
    this.#putBack(job);
    this.#rest(failure);
  }

  #putBack(job: Job): void {
    if (job.kind === 'spool') {
      this.#spool.putBack(job.entry);
      return;
    }
    this.#queue.putBack(job.object);
  }

  /** Gives storage time; one object then probes whether it is back before all others follow. */
  #rest(failure: ObjectStoreFailure): void {
    if (this.#resting) {
      return;
    }
    this.#attempt += 1;
    if (this.#attempt % TRIES_PER_LOG === 1) {
      this.#options.log.error(`${failure.detail}; objects are kept and uploaded later`);
    }
    this.#resting = true;
    const delay = retryDelay(this.#attempt, this.#limits.retry, this.#random());
    void pause(delay, this.#abort.signal).then(() => {
      this.#resting = false;
      this.#pump();
      this.#spillIfNeeded();
    });
  }

  async #giveUp(job: Job, why: string): Promise<void> {
    const dropped =
      job.kind === 'memory' ? { key: job.object.key, size: job.object.bytes.length } : job.entry;
    this.#drop([dropped], why);
    await this.#forget(job);
  }

  async #forget(job: Job): Promise<void> {
    if (job.kind === 'memory') {
      this.#refusals.delete(job.object.key);
      this.#queue.forget(job.object);
    } else {
      this.#refusals.delete(job.entry.key);
      await this.#spool.remove(job.entry);
    }
  }

  #boundMemory(): void {
    const limit = this.#limits.memoryBytes * MEMORY_OVERDRAFT;
    while (this.#queue.bytes > limit) {
      const oldest = this.#queue.take();
      if (oldest === undefined) {
        return;
      }
      this.#queue.forget(oldest);
      this.#drop([{ key: oldest.key, size: oldest.bytes.length }], 'storage and disk are both too slow');
    }
  }

  #spillIfNeeded(): void {
    if (!this.#spilling && !this.#closed && this.#mustSpill()) {
      void this.#spill(() => this.#mustSpill());
    }
  }

  #mustSpill(): boolean {
    const oldest = this.#queue.oldest;
    const waitsLong = oldest !== undefined && this.#now() - oldest.at >= this.#limits.memoryMs;
    return this.#queue.bytes > this.#limits.memoryBytes || (this.#attempt > 0 && waitsLong);
  }

  /** Moves objects to disk, oldest first, as long as `wanted` says so. */
  async #spill(wanted: () => boolean): Promise<void> {
    this.#spilling = true;
    while (wanted()) {
      const object = this.#queue.take();
      if (object === undefined) {
        break;
      }
      try {
        this.#drop(await this.#spool.add(object, object.order), 'no room in the spool folder');
      } catch (error) {
        const dropped = { key: object.key, size: object.bytes.length };
        this.#drop([dropped], `cannot write to the spool folder: ${String(error)}`);
      }
      this.#queue.forget(object);
    }
    this.#spilling = false;
    this.#pump();
    this.#changes.notify();
  }

  #drop(dropped: readonly Dropped[], why: string): void {
    for (const { key, size } of dropped) {
      this.#options.onSettled?.(key, 'lost');
      this.#counts.droppedObjects += 1;
      this.#counts.droppedBytes += size;
    }
    if (dropped.length > 0 && this.#now() - this.#dropLoggedAt >= DROP_LOG_MS) {
      this.#dropLoggedAt = this.#now();
      const { droppedObjects } = this.#counts;
      this.#options.log.error({ example: dropped[0]?.key, droppedObjects }, `objects are lost: ${why}`);
    }
  }

  #isIdle(): boolean {
    return this.#queue.length + this.#inFlight + this.#spool.length === 0 && !this.#spilling;
  }
}
