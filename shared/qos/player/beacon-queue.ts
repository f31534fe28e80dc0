/** Events that wait for the edge, and what its answer means for them. */

import type { BeaconEvent, MAX_BEACON_EVENTS } from '../beacon.ts';

/** Most events that wait, 50 minutes of heartbeats: an edge that stays away costs the page no memory. */
const MAX_QUEUED = 300;
/** Most events of one beacon; the type keeps it what the intake takes. */
const BATCH_EVENTS: typeof MAX_BEACON_EVENTS = 100;
/** Longest events of one beacon, bytes: leaves room for its head within the intake's 64 KiB. */
const BATCH_BYTES = 60_000;
/** First pause after a beacon that did not arrive, milliseconds; it doubles with each in a row. */
const FIRST_RETRY_MS = 1_000;
/** Longest pause between two tries, milliseconds. */
const MAX_RETRY_MS = 60_000;
/** Longest pause that the edge may ask for, milliseconds. */
const MAX_ASKED_MS = 3_600_000;

/** What an answer means: the events have arrived or will never be wanted, nothing is wanted, or try again. */
export type BeaconOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'stop' }
  /** `asked`: the edge named the pause or is overloaded, so nothing may go out before. */
  | { readonly kind: 'retry'; readonly afterMs: number; readonly asked: boolean };

/**
 * Reads the answer to a beacon; no `status` where there was no answer. `failures` counts those in a row before this
 * one, `random` lies in 0 to 1 and spreads the viewers of an edge that comes back.
 */
export function readOutcome(answer: {
  readonly status: number | undefined;
  readonly retryAfterSeconds: number;
  readonly failures: number;
  readonly random: number;
}): BeaconOutcome {
  const { status, retryAfterSeconds, failures, random } = answer;
  const asked = status === 429 || status === 503;
  if (status === undefined || status >= 500 || status === 408 || asked) {
    const pause = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** failures) * (0.5 + random / 2);
    const named = retryAfterSeconds > 0 ? Math.min(MAX_ASKED_MS, retryAfterSeconds * 1000) : 0;
    return { kind: 'retry', afterMs: Math.max(pause, named), asked };
  }
  // 401, 403: the token is no longer good; 404: this edge takes no beacons; 410: it has been told to stop.
  return [401, 403, 404, 410].includes(status) ? { kind: 'stop' } : { kind: 'done' };
}

/** A bounded queue that keeps sums right: where it is full, an event goes and the next takes over its increments. */
export class BeaconQueue {
  #entries: { readonly event: BeaconEvent; readonly tried: boolean }[] = [];

  /** Events that wait. */
  get size(): number {
    return this.#entries.length;
  }

  /** Adds an event at the end. */
  add(event: BeaconEvent): void {
    this.#entries.push({ event, tried: false });
    if (this.#entries.length > MAX_QUEUED) {
      this.#shorten();
    }
  }

  /** The oldest events that fit into a beacon; they stay until they are {@link remove | removed}. */
  batch(): readonly BeaconEvent[] {
    let bytes = 0;
    const fitting = this.#entries.slice(0, BATCH_EVENTS).findIndex(({ event }) => {
      bytes += JSON.stringify(event).length + 1;
      return bytes > BATCH_BYTES;
    });
    const count = fitting < 0 ? BATCH_EVENTS : fitting;
    this.#entries = this.#entries.map((entry, at) => (at < count ? { ...entry, tried: true } : entry));
    return this.#entries.slice(0, count).map(({ event }) => event);
  }

  /** Removes events of a batch that arrived. */
  remove(batch: readonly BeaconEvent[]): void {
    const gone = new Set(batch);
    this.#entries = this.#entries.filter(({ event }) => !gone.has(event));
  }

  /** Removes everything. */
  clear(): void {
    this.#entries = [];
  }

  /** An event that was tried may have arrived without an answer, so its increments are never told by another. */
  #shorten(): void {
    const foldable = this.#entries.findIndex(({ event, tried }) => event.event === 'heartbeat' && !tried);
    const at = Math.max(0, foldable);
    const [gone] = this.#entries.splice(at, 1);
    const next = this.#entries[at];
    if (gone !== undefined && next !== undefined && !gone.tried) {
      this.#entries[at] = { ...next, event: fold(gone.event, next.event) };
    }
  }
}

/** The later of two events with the increments of both. */
function fold(earlier: BeaconEvent, later: BeaconEvent): BeaconEvent {
  const folded = { ...later };
  for (const key of ['watchedMs', 'stalledMs', 'droppedFrames', 'decodedFrames'] as const) {
    const sum = (earlier[key] ?? 0) + (later[key] ?? 0);
    if (sum > 0) {
      folded[key] = sum;
    }
  }
  return folded;
}
