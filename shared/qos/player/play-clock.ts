/**
 * Time of a session that plays, told as watched or as stalled.
 *
 * A stall is a playhead that stands although it should move. It begins at the instant at which the playhead stopped
 * and ends when it moves again; both are worked out from how far the playhead has come, so they are more exact than
 * the distance between two inputs.
 */

import type { EventLog } from './event-log.ts';
import type { Sample } from './media-input.ts';

/** A playhead that stands for less is a reading between two of its steps, milliseconds. */
const STEP_MS = 60;
/** Standing after `waiting` beyond this is a stall, milliseconds: less is no more than a frame or two. */
const STALL_AFTER_WAITING_MS = 100;
/** Standing without `waiting` beyond this is a stall, milliseconds: elements stand so long at a gap. */
const STALL_AFTER_MS = 500;
/** Time that a decoder gets to begin again after a pause or a hidden page before it counts, milliseconds. */
const RESUME_MS = 1_000;
/** Longer without an input, the page was suspended and nobody was waiting in front of it, milliseconds. */
const SUSPENDED_MS = 5_000;
/** Further than this beyond the time that has passed, the playhead jumped rather than moved, milliseconds. */
const JUMP_MS = 250;
/** Less is no movement yet, milliseconds: readings of a standing playhead differ by so much. */
const MOVEMENT_MS = 20;

/** What has passed between two samples. */
export interface Passed {
  readonly last: Sample;
  readonly sample: Sample;
  /** How long playback took for the way between them, milliseconds. */
  readonly moved: number;
  /** The page is on screen. */
  readonly visible: boolean;
}

/** How long playback took for the way between two samples, milliseconds; 0 where it stood or jumped. */
export function movedMs(last: Sample, sample: Sample): number {
  const moved = ((sample.position - last.position) / last.rate) * 1000;
  const isMovement = moved > 0 && moved <= sample.at - last.at + JUMP_MS && !sample.seeking;
  return isMovement ? moved : 0;
}

/** Watches the playhead of a session that plays. */
export class PlayClock {
  readonly #log: EventLog;
  #isStalled = false;
  /** When the playhead came to where it is. */
  #stoppedAt = 0;
  /** Up to when time has been told as watched or stalled. */
  #settledAt = 0;
  #waiting = false;
  /** Playback begins again: nothing has moved since. */
  #resuming = false;
  /** Time stamp of the latest picture since playback went on. */
  #frame: number | undefined;
  #stalls = 0;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** The playhead stands although it should move. */
  get isStalled(): boolean {
    return this.#isStalled;
  }

  /** Stalls so far. */
  get stalls(): number {
    return this.#stalls;
  }

  /** Tells the time since the last sample as what it was; `false` where the playhead has not really moved. */
  pass(passed: Passed): boolean {
    if (this.#isStalled) {
      return this.#passStalled(passed);
    }
    this.#passPlaying(passed);
    return true;
  }

  /** Watched from one instant to another, at which the playhead is where it is now. */
  play(from: number, until: number): void {
    this.#isStalled = false;
    this.#waiting = false;
    this.#resuming = false;
    this.#log.watch(until - from);
    this.#settledAt = until;
    this.#stoppedAt = until;
  }

  /** Playback begins again at an instant: its decoder gets some time. */
  beginAgain(at: number): void {
    this.#stoppedAt = at;
    this.#resuming = true;
  }

  /** The element says whether it has run out of media. */
  wait(isWaiting: boolean): void {
    this.#waiting = isWaiting && !this.#isStalled;
  }

  /** Takes a picture's time stamp, seconds; tells whether pictures move. */
  moves(mediaTime: number): boolean {
    const before = this.#frame;
    this.#frame = mediaTime;
    return before !== undefined && mediaTime > before;
  }

  /** The next picture says nothing of movement. */
  forgetPicture(): void {
    this.#frame = undefined;
  }

  /** A picture moves again in a stall. */
  resume(at: number): void {
    const resumedAt = Math.max(at, this.#settledAt);
    this.#endStall(resumedAt);
    this.play(resumedAt, resumedAt);
  }

  /** Ends what runs: a stall that something else takes over from, or the time watched. */
  rest(at: number, reason: string): void {
    if (this.#isStalled) {
      this.#endStall(at, reason);
      this.play(at, at);
    } else {
      this.play(this.#settledAt, at - this.#stoppedAt < this.#patience() ? at : this.#stoppedAt);
    }
  }

  #passPlaying({ last, sample, moved, visible }: Passed): void {
    const { at } = sample;
    if (!visible || last.rate <= 0 || at - last.at > SUSPENDED_MS) {
      this.#log.watch(Math.min(at - last.at, moved));
      this.#settledAt = at;
      this.#stoppedAt = at;
      return;
    }
    if (moved === 0) {
      this.#stallAfter(at);
      return;
    }
    const resumedAt = Math.max(last.at, at - moved);
    const stood = this.#stoppedAt < last.at;
    if (stood && resumedAt - this.#stoppedAt >= this.#patience()) {
      this.#stall();
      this.#endStall(resumedAt);
    }
    const reached = stood ? at : Math.min(at, Math.max(last.at, this.#stoppedAt) + moved);
    this.play(this.#settledAt, at - reached > STEP_MS ? reached : at);
  }

  #passStalled({ last, sample, moved }: Passed): boolean {
    if (moved >= MOVEMENT_MS) {
      const resumedAt = Math.max(this.#settledAt, sample.at - moved);
      this.#endStall(resumedAt);
      this.play(resumedAt, sample.at);
      return true;
    }
    if (sample.at - last.at <= SUSPENDED_MS) {
      this.#log.standStill(sample.at - this.#settledAt);
    }
    this.#settledAt = sample.at;
    return moved === 0;
  }

  #patience(): number {
    if (this.#resuming) {
      return RESUME_MS;
    }
    return this.#waiting ? STALL_AFTER_WAITING_MS : STALL_AFTER_MS;
  }

  #stallAfter(at: number): void {
    if (at - this.#stoppedAt >= this.#patience()) {
      this.#stall();
      this.#log.standStill(at - this.#settledAt);
      this.#settledAt = at;
    }
  }

  #stall(): void {
    this.#log.watch(this.#stoppedAt - this.#settledAt);
    this.#settledAt = this.#stoppedAt;
    this.#isStalled = true;
    this.#frame = undefined;
    this.#stalls += 1;
    this.#log.emit('stall_begin', this.#stoppedAt);
  }

  #endStall(at: number, detail?: string): void {
    this.#log.standStill(at - this.#settledAt);
    this.#settledAt = at;
    this.#log.emit('stall_end', at, detail === undefined ? {} : { detail });
  }
}
