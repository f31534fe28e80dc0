/** What an object writer is opened with, how much it keeps, how it repeats itself, and what it counts. */

import type { Log } from '../log.ts';
import type { Backoff } from '../backoff.ts';
import type { ObjectStore } from './object-store.ts';

/** Bounds of an object writer. */
export interface ObjectWriterLimits {
  /** Requests at once, for all streams of the origin: some hundred objects a second at 100 ms each. */
  readonly concurrency: number;
  /** Bytes kept in memory of objects that wait or travel: seconds of many ladders; beyond, they are on disk alone. */
  readonly memoryBytes: number;
  /** Bytes on disk; beyond, the oldest objects are given up. */
  readonly spoolBytes: number;
  /** Tries of an object that storage refuses outright before it is given up, so that it does not block the others. */
  readonly refusedTries: number;
  /** Wait between tries while storage is away. */
  readonly retry: Backoff;
}

/** The limits used unless the settings or a test say otherwise. */
export const OBJECT_WRITER_LIMITS: ObjectWriterLimits = {
  concurrency: 32,
  memoryBytes: 64 * 1024 * 1024,
  spoolBytes: 2 * 1024 * 1024 * 1024,
  refusedTries: 3,
  retry: { baseMs: 100, maxMs: 5_000 },
};

/** Numbers for status and metrics. */
export interface ObjectWriterStats {
  /** Waiting or travelling, their bytes in memory. */
  readonly pendingObjects: number;
  readonly pendingBytes: number;
  /** Waiting, their bytes on disk alone. */
  readonly spooledObjects: number;
  readonly spooledBytes: number;
  /** What the spool takes on disk; every object is written there before it is announced. */
  readonly spoolFileBytes: number;
  readonly uploadedObjects: number;
  readonly uploadedBytes: number;
  readonly failedRequests: number;
  /** Given up: no room on disk and in memory, or refused outright. */
  readonly droppedObjects: number;
  readonly droppedBytes: number;
  /** Announced without a copy on disk, which was full or failed: a killed origin would have lost them. */
  readonly unspooledObjects: number;
  /** Longest that writing one object to disk took, milliseconds. */
  readonly slowestSpoolMs: number;
  /** True while storage does not take objects. */
  readonly away: boolean;
  /** What the spool folder's disk last answered: `undefined` while it takes objects. */
  readonly diskFault: string | undefined;
}

/** What a writer is opened with. */
export interface ObjectWriterOptions {
  readonly store: ObjectStore;
  /** Folder for objects until storage has them; belongs to this writer alone. */
  readonly spoolFolder: string;
  readonly log: Log;
  /** Told of each object that is in storage, or was given up. */
  readonly onSettled?: (key: string, how: 'stored' | 'lost') => void;
  readonly limits?: Partial<ObjectWriterLimits>;
  /** Milliseconds of a clock that never steps. */
  readonly now?: () => number;
  readonly random?: () => number;
}
