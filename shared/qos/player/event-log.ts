/** The events of a session: numbered, each with what has come together since the one before. */

import type { BeaconEvent, PlayerEvent } from '../beacon.ts';
import type { Sample } from './media-input.ts';
import { Tally } from './tally.ts';

/** The most that is believed of each fact, as the intake does; latency and buffer beyond a day are a wrong clock. */
const MOST = {
  bitrate: 10_000_000_000,
  height: 16_384,
  latencyMs: 86_400_000,
  bufferMs: 86_400_000,
  playedRate: 16,
} as const;

/** What a session has to tell, and its sums. */
export class EventLog {
  readonly #tally = new Tally();
  #events: BeaconEvent[] = [];
  #sequence = 0;
  #lastEventAt = 0;
  #last: Sample | undefined;
  #watchedMs = 0;
  #stalledMs = 0;

  /** Nothing has been told yet. */
  get isEmpty(): boolean {
    return this.#sequence === 0;
  }

  /** Time watched so far, milliseconds. */
  get watchedMs(): number {
    return this.#watchedMs;
  }

  /** Time stalled so far, milliseconds. */
  get stalledMs(): number {
    return this.#stalledMs;
  }

  /** Takes the element's state, which events from now on carry. */
  notice(sample: Sample): void {
    this.#last = sample;
    if (this.isEmpty) {
      this.#tally.begin(sample);
    } else {
      this.#tally.count(sample);
    }
  }

  /** Adds time watched; what is no positive number adds nothing. */
  watch(milliseconds: number): void {
    this.#tally.add('watchedMs', milliseconds);
    this.#watchedMs += Math.max(0, milliseconds);
  }

  /** Adds time stalled; what is no positive number adds nothing. */
  standStill(milliseconds: number): void {
    this.#tally.add('stalledMs', milliseconds);
    this.#stalledMs += Math.max(0, milliseconds);
  }

  /** Adds an event; its time is never before that of the one before. */
  emit(event: PlayerEvent, at: number, facts: Partial<BeaconEvent> = {}): void {
    this.#lastEventAt = Math.max(at, this.#lastEventAt);
    this.#events.push({
      event,
      at: this.#lastEventAt,
      seq: this.#sequence,
      ...this.#tally.drain(),
      ...(this.#last === undefined ? {} : snapshot(this.#last)),
      ...facts,
    });
    this.#sequence += 1;
  }

  /** Takes the events out. */
  take(): readonly BeaconEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/** What an event says of the state of playback: what is known and can be true. */
function snapshot(sample: Sample): Partial<BeaconEvent> {
  const facts: Partial<Record<keyof typeof MOST, number>> = {};
  for (const key of ['bitrate', 'height', 'latencyMs', 'bufferMs'] as const) {
    const value = sample[key];
    if (value !== undefined && value >= 0 && value <= MOST[key]) {
      facts[key] = Math.round(value);
    }
  }
  return { ...facts, playedRate: Math.min(MOST.playedRate, Math.max(0, sample.rate)) };
}
