/**
 * Deletes from object storage what has had its time. It remembers nothing that a crash could lose: what there is comes
 * from listings, what playlists name from the hub, and deleting twice is deleting once.
 */

import type { StreamName } from '#shared/identifiers.ts';
import type { Result } from '#shared/result.ts';
import type { HubPosition } from '#shared/wire/publish.ts';
import type { Log } from '../../log.ts';
import { pause } from '../../backoff.ts';
import type { HubPositionFailure } from '../hub-position.ts';
import { MAX_DELETE_KEYS, type ObjectCleaner } from '../object-cleaner.ts';
import type { KnownStreams } from './known-streams.ts';
import { noteListed, NOTHING_LISTED, unlistedFor, type ListedHistory } from './listed-history.ts';
import type { RetentionState } from './decide.ts';
import { SweepPlan } from './sweep-plan.ts';

/** What a sweeper works with. */
export interface RetentionSweeperOptions {
  readonly cleaner: ObjectCleaner;
  readonly streams: KnownStreams;
  /** How long a stream's segments are kept, milliseconds. */
  readonly keepMs: (stream: StreamName) => number;
  /** Asks a stream's hub once. */
  readonly position: (stream: StreamName) => Promise<Result<HubPosition, HubPositionFailure>>;
  readonly sweepEveryMs: number;
  readonly log: Log;
  /** Wall clock, for a store that does not say its own. */
  readonly wallClock: () => number;
  /** Milliseconds of a clock that never steps. */
  readonly now?: () => number;
  /** Milliseconds between two requests to the store. */
  readonly requestPauseMs?: number;
}

/** Numbers for status and metrics. */
export interface RetentionStats {
  readonly streams: number;
  readonly sweeps: number;
  readonly deletedObjects: number;
  /** Sweeps of one stream that storage or hub did not let come to their end. */
  readonly failedSweeps: number;
}

/** Requests to the store a second at most: sweeping is never what fills it. */
const REQUEST_PAUSE_MS = 200;
/** A listing of so many objects is one request; sweeps of large buckets are rarer, so that listings stay cheap. */
const MS_PER_PAGE = 6_000;
const PAGE_OBJECTS = 1_000;
/** Parts stay for so many target durations after they have left the playlist, rfc8216bis §4.4.4.9. */
const PARTS_FACTOR = 3;
/** A stream's floors: the segments' and the parts'. */
interface Seen {
  readonly segments: ListedHistory;
  readonly parts: ListedHistory;
}
const UNSEEN: Seen = { segments: [], parts: [] };

/** Sweeps the known streams, one after the other, again and again; made running. */
export class RetentionSweeper {
  readonly #options: RetentionSweeperOptions;
  readonly #now: () => number;
  readonly #stop = new AbortController();
  readonly #seen = new Map<StreamName, Seen>();
  readonly #counts = { sweeps: 0, deletedObjects: 0, failedSweeps: 0 };
  readonly #done: Promise<void>;

  constructor(options: RetentionSweeperOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#done = options.sweepEveryMs > 0 ? this.#run() : Promise.resolve();
  }

  /** Numbers for status and metrics. */
  get stats(): RetentionStats {
    return { ...this.#counts, streams: this.#options.streams.names.length };
  }

  /** Ends it after the request that is under way. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { sweepEveryMs, streams, log } = this.#options;
    while (!this.#stop.signal.aborted) {
      let objects = 0;
      for (const stream of streams.names) {
        const swept = await this.#sweep(stream).catch((error: unknown) => {
          log.error({ err: error, stream }, 'the sweep of a stream failed');
          return undefined;
        });
        objects += swept ?? 0;
        this.#counts.failedSweeps += Number(swept === undefined);
      }
      this.#counts.sweeps += 1;
      const rest = Math.max(sweepEveryMs, Math.floor(objects / PAGE_OBJECTS) * MS_PER_PAGE);
      await pause(rest, this.#stop.signal);
    }
  }

  /** Sweeps one stream; how many objects it had, or `undefined` when it did not come to an end. */
  async #sweep(stream: StreamName): Promise<number | undefined> {
    const { position, keepMs, wallClock } = this.#options;
    const asked = await position(stream);
    if (!asked.ok || asked.value.listed === undefined) {
      const why = asked.ok ? 'the edge is older than this origin' : asked.failure.detail;
      return this.#giveUp(stream, `what its playlists name is not known: ${why}`);
    }
    const floors = this.#floors(stream, asked.value.listed);
    const plan = new SweepPlan();
    let from: string | undefined;
    do {
      const page = await this.#options.cleaner.list(`live/${stream}/`, from);
      if (!page.ok) {
        return this.#giveUp(stream, page.failure.detail);
      }
      const state = { ...floors, now: page.value.now ?? wallClock(), keepMs: keepMs(stream) };
      from = page.value.next;
      const keys = page.value.objects.flatMap((object) => plan.take(object, state));
      if (!(await this.#remove(stream, from === undefined ? [...keys, ...plan.end(state)] : keys))) {
        return undefined;
      }
    } while (from !== undefined && !this.#stop.signal.aborted);
    if (plan.seen === 0 && asked.value.listed === null) {
      this.#options.streams.remove(stream);
    }
    return plan.seen;
  }

  #floors(
    stream: StreamName,
    listed: HubPosition['listed'] & (object | null),
  ): Pick<RetentionState, 'unlistedBefore' | 'partsUnlistedBefore'> {
    const at = this.#now();
    const windowMs = (listed?.windowSeconds ?? 0) * 1000;
    const partsMs = (listed?.targetDuration ?? 0) * 1000 * PARTS_FACTOR;
    const before = this.#seen.get(stream) ?? UNSEEN;
    const parts = listed === null ? NOTHING_LISTED : { epoch: listed.partsEpoch, msn: listed.partsMsn };
    const seen = {
      segments: noteListed(before.segments, { at, from: listed ?? NOTHING_LISTED }, windowMs),
      parts: noteListed(before.parts, { at, from: parts }, partsMs),
    };
    this.#seen.set(stream, seen);
    return {
      unlistedBefore: unlistedFor(seen.segments, at, windowMs),
      partsUnlistedBefore: unlistedFor(seen.parts, at, partsMs),
    };
  }

  async #remove(stream: StreamName, keys: readonly string[]): Promise<boolean> {
    const { cleaner, requestPauseMs } = this.#options;
    await pause(requestPauseMs ?? REQUEST_PAUSE_MS, this.#stop.signal);
    for (let at = 0; at < keys.length && !this.#stop.signal.aborted; at += MAX_DELETE_KEYS) {
      const batch = keys.slice(at, at + MAX_DELETE_KEYS);
      const removed = await cleaner.remove(batch);
      if (!removed.ok) {
        this.#giveUp(stream, removed.failure.detail);
        return false;
      }
      this.#counts.deletedObjects += batch.length - removed.value.length;
      await pause(requestPauseMs ?? REQUEST_PAUSE_MS, this.#stop.signal);
    }
    return !this.#stop.signal.aborted;
  }

  #giveUp(stream: StreamName, why: string): undefined {
    this.#options.log.warn({ stream }, `retention: ${why}; nothing of it is deleted until the next sweep`);
    return undefined;
  }
}
