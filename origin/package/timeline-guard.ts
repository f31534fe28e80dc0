/** Watches the tracks' decode times for jumps that no player can follow without a discontinuity. */

import { AAC_FRAME_SAMPLES } from '#shared/codec/aac.ts';
import { seconds, ticks, type Seconds } from '#shared/media-time.ts';
import { laterInstant, secondsBetween, type Instant } from './instant.ts';
import type { Sample, Track } from './sample.ts';

/** Farthest that a track's decode time may step back, seconds: more is a restarted clock. */
const MAX_STEP_BACK_SECONDS = 1;
/** Farthest that a track may run ahead of all, seconds: more is a jump, less may be a pause. */
const MAX_STEP_AHEAD_SECONDS = 10;

/** A jump: media time that was expected, and that which came. */
export interface TimelineBreak {
  readonly expected: Seconds;
  readonly got: Seconds;
}

/** Where a track is. */
interface TrackClock {
  lastDecodeTime: number;
  lastDuration: number;
}

/** Decode times of all tracks of one run. */
export class TimelineGuard {
  readonly #clocks = new Map<number, TrackClock>();
  /** End of the sample farthest ahead, in decode time. */
  #front: Instant | undefined;

  /** Notes a sample; returns the break where its decode time is out of line. */
  check(track: Track, sample: Sample): TimelineBreak | undefined {
    const clock = this.#clocks.get(track.id);
    const at: Instant = { ticks: sample.decodeTime, timescale: track.timescale };
    if (clock !== undefined) {
      const last: Instant = { ticks: clock.lastDecodeTime, timescale: track.timescale };
      if (secondsBetween(at, last) > MAX_STEP_BACK_SECONDS) {
        return describeBreak(last, at);
      }
    }
    if (this.#front !== undefined && secondsBetween(this.#front, at) > MAX_STEP_AHEAD_SECONDS) {
      return describeBreak(this.#front, at);
    }
    const end: Instant = { ticks: sample.decodeTime + sample.duration, timescale: track.timescale };
    this.#front = laterInstant(end, this.#front);
    const step = clock === undefined ? 0 : sample.decodeTime - clock.lastDecodeTime;
    this.#clocks.set(track.id, {
      lastDecodeTime: sample.decodeTime,
      lastDuration: step > 0 && step <= 2 * sample.duration ? step : sample.duration,
    });
    return undefined;
  }

  /**
   * The sample with a duration of more than nothing and at most `longest`: else with what the frame before
   * lasted, by the decode times where they tell.
   */
  withPlausibleDuration(track: Track, sample: Sample, longest: Seconds): Sample {
    if (sample.duration > 0 && sample.duration <= longest * track.timescale) {
      return sample;
    }
    const before = this.#clocks.get(track.id)?.lastDuration;
    return { ...sample, duration: ticks(before ?? usualDuration(track)) };
  }
}

/** What a first frame lasts when it does not say: that of AAC, or of 30 frames a second. */
function usualDuration(track: Track): number {
  return track.kind === 'audio' ? AAC_FRAME_SAMPLES : Math.max(1, Math.round(track.timescale / 30));
}

function describeBreak(expected: Instant, got: Instant): TimelineBreak {
  return {
    expected: seconds(expected.ticks / expected.timescale),
    got: seconds(got.ticks / got.timescale),
  };
}
