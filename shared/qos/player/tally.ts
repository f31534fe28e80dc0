/** Times and counts since a session's previous event: whole numbers whose sums are right. */

import type { PlaybackFacts } from './media-input.ts';

/** The increments that an event carries; those of zero are left out. */
export interface Increments {
  watchedMs?: number;
  stalledMs?: number;
  droppedFrames?: number;
  decodedFrames?: number;
}

/** Sums increments until an event takes them. */
export class Tally {
  readonly #open = { watchedMs: 0, stalledMs: 0, droppedFrames: 0, decodedFrames: 0 };
  readonly #seen = { droppedFrames: 0, decodedFrames: 0 };

  /** Adds time; what is no positive number adds nothing. */
  add(key: 'watchedMs' | 'stalledMs', milliseconds: number): void {
    if (milliseconds > 0) {
      this.#open[key] += milliseconds;
    }
  }

  /** Takes an element's running counts; one that fell has begun again from zero. */
  count(facts: PlaybackFacts): void {
    for (const key of ['droppedFrames', 'decodedFrames'] as const) {
      const total = facts[key];
      if (total !== undefined) {
        this.#open[key] += total < this.#seen[key] ? total : total - this.#seen[key];
        this.#seen[key] = total;
      }
    }
  }

  /** Takes running counts as the ones to begin from. */
  begin(facts: PlaybackFacts): void {
    this.#seen.droppedFrames = facts.droppedFrames ?? 0;
    this.#seen.decodedFrames = facts.decodedFrames ?? 0;
  }

  /** Takes what has come together, rounded; what rounding leaves goes into the next. */
  drain(): Increments {
    const taken: Increments = {};
    for (const key of ['watchedMs', 'stalledMs', 'droppedFrames', 'decodedFrames'] as const) {
      const whole = Math.max(0, Math.round(this.#open[key]));
      this.#open[key] -= whole;
      if (whole > 0) {
        taken[key] = whole;
      }
    }
    return taken;
  }
}
