/** A video element that does what a test says, and what is then true: the measure for the session's figures. */

import type { BeaconEvent } from '../beacon.ts';
import type { MediaInput, Sample } from './media-input.ts';
import { QoeSession, type QoeFigures } from './qoe-session.ts';

/** What happens next, and for how long, milliseconds. */
export interface Step {
  readonly kind: 'plays' | 'stalls' | 'silently-stalls' | 'pauses' | 'seeks' | 'hides' | 'hides-standing';
  readonly ms: number;
}

/** What a scenario came to, beside what is true of it. */
export interface Outcome {
  readonly events: readonly BeaconEvent[];
  readonly figures: QoeFigures;
  readonly watchedMs: number;
  readonly stalledMs: number;
}

/** Resolution of the element's clock, milliseconds. */
const GRAIN_MS = 10;

/**
 * Plays a scenario: a start of `startMs`, then the steps, a moment of playing after each. `lookEvery` gives the
 * times between two looks, `rate` is the element's.
 */
export function playScenario(input: {
  readonly startMs: number;
  readonly steps: readonly Step[];
  readonly lookEvery: () => number;
  readonly rate: number;
}): Outcome {
  const element = new ScriptedElement(input.lookEvery, input.rate);
  element.tell('play');
  element.pass(input.startMs, false);
  element.frames();
  const truth = { watchedMs: 0, stalledMs: 0 };
  for (const step of input.steps) {
    truth.watchedMs += element.pass(SETTLE_MS, true) + element.perform(step);
    truth.stalledMs += step.kind.endsWith('stalls') ? step.ms : 0;
  }
  truth.watchedMs += element.pass(SETTLE_MS, true);
  element.tell('leave');
  return { events: element.events, figures: element.session.figures(), ...truth };
}

/** Playing between two steps, milliseconds. */
const SETTLE_MS = 2_000;

class ScriptedElement {
  readonly session = new QoeSession();
  readonly events: BeaconEvent[] = [];
  readonly #lookEvery: () => number;
  readonly #rate: number;
  #at = 1_000;
  #position = 0;
  #nextLook = 1_000;
  #seeking = false;
  #visible = true;

  constructor(lookEvery: () => number, rate: number) {
    this.#lookEvery = lookEvery;
    this.#rate = rate;
  }

  tell(kind: Exclude<MediaInput['kind'], 'frame' | 'error'>): void {
    this.#take({ kind, sample: this.#sample() });
  }

  /** Two pictures, the second of which shows that playback has begun. */
  frames(): void {
    this.#take({ kind: 'frame', at: this.#at - 40, mediaTime: 0 });
    this.#take({ kind: 'frame', at: this.#at, mediaTime: 0.04 });
  }

  /** Lets time pass with the playhead moving or standing; gives the time in which it moved. */
  pass(ms: number, moves: boolean): number {
    const until = this.#at + ms;
    while (this.#at < until) {
      const grain = Math.min(GRAIN_MS, until - this.#at);
      this.#at += grain;
      this.#position += moves ? (grain / 1000) * this.#rate : 0;
      if (this.#at >= this.#nextLook) {
        this.#nextLook = this.#at + this.#lookEvery();
        this.tell('tick');
      }
    }
    return moves ? ms : 0;
  }

  /** Performs a step; gives the time watched in it. */
  perform({ kind, ms }: Step): number {
    switch (kind) {
      case 'plays':
        return this.pass(ms, true);
      case 'stalls':
        this.tell('waiting');
        return this.pass(ms, false);
      case 'silently-stalls':
        return this.pass(ms, false);
      case 'pauses':
        this.tell('pause');
        this.pass(ms, false);
        this.tell('play');
        return 0;
      case 'seeks':
        this.#position += 7;
        this.#seeking = true;
        this.tell('seeking');
        this.pass(ms, false);
        this.#seeking = false;
        this.tell('tick');
        return 0;
      case 'hides':
      case 'hides-standing': {
        this.#hide(true);
        const watched = this.pass(ms, kind === 'hides');
        this.#hide(false);
        return watched;
      }
    }
  }

  #hide(hidden: boolean): void {
    this.#visible = !hidden;
    this.tell(hidden ? 'hidden' : 'visible');
  }

  #take(input: MediaInput): void {
    this.events.push(...this.session.take(input));
  }

  #sample(): Sample {
    return {
      at: this.#at,
      position: this.#position,
      rate: this.#rate,
      seeking: this.#seeking,
      tellsFrames: this.#visible,
      height: 720,
      bitrate: 3_000_000,
      latencyMs: 2_000,
      bufferMs: 1_000,
      decodedFrames: Math.round(this.#position * 25),
      droppedFrames: 0,
    };
  }
}
