/** Chooses PART-TARGET and reads the frame rate from a track's first frames. */

import { seconds, type Seconds } from '#shared/media-time.ts';
import { MIN_PART_FILL } from './frame-cadence.ts';

/** A track's frames as far as they are known, seconds. */
export interface FrameTiming {
  readonly mean: number;
  /** Longest less shortest: about 1 ms where time stamps are milliseconds. */
  readonly jitter: number;
  /** How far the mean may lie from the truth, which more frames would tell. */
  readonly uncertainty: number;
}

/** Spread of durations that rounding to whole milliseconds explains, seconds; more is a variable frame rate. */
const ROUNDING_JITTER = 0.0025;
/** Relative slack for sums of fractions. */
const EPSILON = 1e-6;
const COMMON_FRAME_RATES: readonly number[] = [
  15,
  24_000 / 1001,
  24,
  25,
  30_000 / 1001,
  30,
  48,
  50,
  60_000 / 1001,
  60,
  100,
  120,
];
/** How far an estimate from a few jittered durations may lie from the real rate. */
const FRAME_RATE_TOLERANCE = 0.03;

/** Reads the timing from durations in seconds; at least one is needed. */
export function measureFrames(durations: readonly number[]): FrameTiming {
  const count = Math.max(1, durations.length);
  const mean = durations.reduce((sum, duration) => sum + duration, 0) / count;
  const spread = Math.max(0, ...durations) - Math.min(Number.POSITIVE_INFINITY, ...durations);
  const jitter = spread > mean * EPSILON ? spread : 0;
  return { mean, jitter, uncertainty: jitter / count };
}

/**
 * Chooses PART-TARGET (rfc8216bis §4.4.3.7): the configured one where whole frames of each track surely fill at
 * least 85 % of it, else the most that as many whole frames as fit may last, at least one. Nothing is sure where the
 * frame rate varies, so there the configured one stands and some parts fall below 85 %.
 */
export function choosePartTarget(configured: Seconds, tracks: readonly FrameTiming[]): Seconds {
  const varies = tracks.some((track) => track.jitter > ROUNDING_JITTER);
  if (varies || tracks.every((track) => surelyFills(track, configured))) {
    return configured;
  }
  return seconds(Math.max(...tracks.map((track) => longestFill(track, configured))));
}

/** Frames per second, snapped to a rate in common use where it is near one. */
export function estimateFrameRate(timing: FrameTiming): number {
  const rate = 1 / timing.mean;
  const near = COMMON_FRAME_RATES.toSorted((a, b) => Math.abs(a - rate) - Math.abs(b - rate))[0] ?? rate;
  return Math.abs(near - rate) <= near * FRAME_RATE_TOLERANCE ? near : rate;
}

/** Even where frames are as long as they may be, so that one less fits. */
function surelyFills(track: FrameTiming, target: number): boolean {
  const longest = track.mean + track.uncertainty;
  const frames = Math.floor(target / longest + EPSILON);
  return frames * (track.mean - track.uncertainty) >= MIN_PART_FILL * target;
}

function longestFill(track: FrameTiming, target: number): number {
  const frames = Math.max(1, Math.floor(target / (track.mean - track.uncertainty) + EPSILON));
  return frames * (track.mean + track.uncertainty) + track.jitter;
}
