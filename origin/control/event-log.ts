/** What happened on this origin: the newest events, for whoever listens and for who comes back. */

import { randomBytes } from 'node:crypto';

/** What an event can be. */
export const EVENT_TYPES = [
  'stream.started',
  'stream.stopped',
  'stream.degraded',
  'stream.recovered',
  'recording.ready',
  'configuration.reloaded',
] as const;
/** Kind of an event. */
export type EventType = (typeof EVENT_TYPES)[number];

/** One event. */
export interface OriginEvent {
  /** Unique, and in order within one run of the origin. */
  readonly id: string;
  readonly type: EventType;
  /** ISO 8601, UTC. */
  readonly timestamp: string;
  /** The stream it is about; `undefined` for one about the origin. */
  readonly stream: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Events kept for who reconnects: hours of a quiet origin, a minute of a hundred streams that flap. */
const MAX_KEPT = 1_000;

/** The newest events in order. */
export class EventLog {
  readonly #now: () => number;
  /** Ids of another run are told apart from this one's. */
  readonly #run = randomBytes(6).toString('base64url');
  readonly #listeners = new Set<(event: OriginEvent) => void>();
  #kept: OriginEvent[] = [];
  #count = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Tells everybody who listens, in the same turn. */
  publish(type: EventType, stream: string | undefined, data: Readonly<Record<string, unknown>>): void {
    this.#count += 1;
    const id = `${this.#run}.${this.#count}`;
    const event = { id, type, timestamp: new Date(this.#now()).toISOString(), stream, data };
    this.#kept.push(event);
    if (this.#kept.length > MAX_KEPT) {
      this.#kept.shift();
    }
    for (const listener of this.#listeners) {
      listener(event);
    }
  }

  /** The events after `id`; `undefined` when it is of another run or too old, so that some are missing. */
  since(id: string): readonly OriginEvent[] | undefined {
    const [run, number] = id.split('.');
    const after = Number(number) - (this.#count - this.#kept.length);
    const known = run === this.#run && /^[0-9]{1,15}$/.test(number ?? '');
    return known && after >= 0 && after <= this.#kept.length ? this.#kept.slice(after) : undefined;
  }

  /** Calls `listener` with each event from now on; returns what ends that. */
  subscribe(listener: (event: OriginEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
