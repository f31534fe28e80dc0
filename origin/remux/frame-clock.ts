/**
 * When the frames of one track are and how long each lasts, known as soon as it comes where the track is steady:
 * waiting for the next frame would make everything a frame older.
 */

import { ticks, type Ticks, type Timescale } from '#shared/media-time.ts';

/** Time stamps are whole milliseconds: one so near to where a frame was expected is that frame's, seconds. */
const ROUNDING_SECONDS = 0.002;
/** A frame that comes so much later than expected, seconds, leaves a hole; less is bridged by the frames around it. */
const MAX_BRIDGED_SECONDS = 0.1;
/** A time stamp farther back than this, seconds, is a clock that was set: it is handed on as it is. */
const MAX_STEP_BACK_SECONDS = 1;
/** By how much one interval may differ from the others, seconds: rounding of two time stamps, and a little more. */
const REGULAR_SECONDS = 0.0016;
/** Regular intervals in a row before durations are foretold. */
const STEADY_FRAMES = 16;
/** Intervals whose mean is the duration that is foretold: a 64th of a millisecond of rounding is left. */
const MEASURED_FRAMES = 64;
/**
 * Durations are not foretold before, seconds: a frame's arrival tells when it was taken while it comes out at its end,
 * and for so long the packager may look for that.
 */
const SETTLING_SECONDS = 3.5;
/** Share of the rounding that is made good with each frame: most of it is gone by itself with the next. */
const PULL = 1 / 8;
/** What a frame lasts of which nothing is known, seconds. */
const USUAL_SECONDS = 1 / 30;

/** When a frame is decoded, for how long it is shown, and how much later than decoded; all in ticks. */
export interface FrameTime {
  readonly decodeTime: Ticks;
  readonly duration: Ticks;
  /** What its time stamp lies behind `decodeTime` by, where it missed the place it was expected at; may be negative. */
  readonly shift: number;
}

/** What is known of a track before its first frame. */
export interface FrameClockOptions {
  readonly timescale: Timescale;
  /** Ticks that every frame lasts, as in audio; `undefined` where only time stamps tell. */
  readonly frameTicks?: number | undefined;
}

/**
 * The clock of one track. Each frame that is pushed comes out once and in order, at once or with the next one; each
 * begins where the one before ends, but for holes and for clocks that were set.
 */
export class FrameClock {
  readonly #scale: number;
  readonly #frameTicks: number | undefined;
  /** Time stamps that follow each other regularly, the newest last. */
  #regular: number[] = [];
  #first: number | undefined;
  #held: Omit<FrameTime, 'duration'> | undefined;
  /** Where the next frame is expected. */
  #next: number | undefined;

  constructor({ timescale, frameTicks }: FrameClockOptions) {
    this.#scale = timescale;
    this.#frameTicks = frameTicks;
  }

  /** Takes the next frame's time stamp, ticks with their fraction; returns the times that are known now. */
  push(at: number): readonly FrameTime[] {
    const times = this.#release(at);
    this.#note(at);
    const { decodeTime, shift } = this.#place(at);
    if (!this.#isSteady(at)) {
      this.#held = { decodeTime, shift };
      return times;
    }
    return [...times, this.#finish({ decodeTime, shift }, this.#usual + this.#correction(at - decodeTime))];
  }

  /** The frame that waits for its end: it lasts as long as the others. */
  end(): readonly FrameTime[] {
    const held = this.#held;
    this.#held = undefined;
    return held === undefined ? [] : [this.#finish(held, this.#usual)];
  }

  /** Ends a frame that waits at the time stamp of the one behind it, where that is later. */
  #release(at: number): readonly FrameTime[] {
    const held = this.#held;
    if (held === undefined) {
      return [];
    }
    this.#held = undefined;
    const until = Math.round(at) - held.decodeTime;
    const isSetBack = until < -MAX_STEP_BACK_SECONDS * this.#scale;
    return [this.#finish(held, isSetBack ? this.#usual : until)];
  }

  #finish(begun: Omit<FrameTime, 'duration'>, duration: number): FrameTime {
    const whole = ticks(Math.max(1, Math.round(duration)));
    this.#next = begun.decodeTime + whole;
    return { ...begun, duration: whole };
  }

  #place(at: number): Omit<FrameTime, 'duration'> {
    const next = this.#next ?? -Infinity;
    const error = at - next;
    const isBridged =
      error <= MAX_BRIDGED_SECONDS * this.#scale && error >= -MAX_STEP_BACK_SECONDS * this.#scale;
    if (!isBridged) {
      return { decodeTime: ticks(Math.round(at)), shift: 0 };
    }
    const shift = this.#frameTicks === undefined && this.#isOff(error) ? Math.round(error) : 0;
    return { decodeTime: ticks(next), shift };
  }

  /** What a frame lasts longer so that the next is back in its place. */
  #correction(error: number): number {
    if (this.#isOff(error)) {
      return error;
    }
    return this.#frameTicks === undefined ? error * PULL : 0;
  }

  /** Whether a time stamp is elsewhere than rounding explains; half a frame where the frames say how long they are. */
  #isOff(error: number): boolean {
    return (
      Math.abs(error) >
      (this.#frameTicks === undefined ? ROUNDING_SECONDS * this.#scale : this.#frameTicks / 2)
    );
  }

  #note(at: number): void {
    this.#first ??= at;
    const last = this.#regular.at(-1);
    const interval = at - (last ?? at);
    const isRegular =
      last !== undefined &&
      interval > 0 &&
      Math.abs(interval - (this.#mean ?? interval)) <= REGULAR_SECONDS * this.#scale;
    if (!isRegular) {
      this.#regular = [];
    }
    this.#regular.push(at);
    if (this.#regular.length > MEASURED_FRAMES + 1) {
      this.#regular.shift();
    }
  }

  #isSteady(at: number): boolean {
    if (this.#frameTicks !== undefined) {
      return true;
    }
    const isSettled = at - (this.#first ?? at) >= SETTLING_SECONDS * this.#scale;
    return isSettled && this.#regular.length > STEADY_FRAMES;
  }

  /** What a frame is taken to last. */
  get #usual(): number {
    return this.#frameTicks ?? this.#mean ?? USUAL_SECONDS * this.#scale;
  }

  /** Mean of the regular intervals. */
  get #mean(): number | undefined {
    const [first] = this.#regular;
    const last = this.#regular.at(-1);
    const count = this.#regular.length - 1;
    return first === undefined || last === undefined || count < 1 ? undefined : (last - first) / count;
  }
}
