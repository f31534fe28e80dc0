/** Chooses PART-TARGET and reads the frame rate from a track's first frames. */

import { seconds, type Seconds } from '#shared/media-time.ts';
import { MIN_PART_FILL } from './frame-cadence.ts';

/** A track's frames as far as they are known, seconds. */
export interface FrameTiming {
  readonly mean: number;
  /** Longest less shortest: about 1 ms where time stamps are milliseconds. */
  readonly jitter: number;
}

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
  const mean = durations.reduce((sum, duration) => sum + duration, 0) / Math.max(1, durations.length);
  return { mean, jitter: Math.max(0, ...durations) - Math.min(Number.POSITIVE_INFINITY, ...durations) };
}

/**
 * Chooses PART-TARGET (rfc8216bis §4.4.3.7): the configured one where whole frames of each track fill at least
 * 85 % of it, else the duration of as many whole frames as fit, at least one.
 */
export function choosePartTarget(configured: Seconds, tracks: readonly FrameTiming[]): Seconds {
  if (tracks.every((track) => wholeFrames(track, configured) >= MIN_PART_FILL * configured)) {
    return configured;
  }
  const fitting = tracks.map((track) => {
    const filled = wholeFrames(track, configured);
    return Math.max(filled, track.mean) + (track.jitter > track.mean * EPSILON ? track.jitter : 0);
  });
  return seconds(Math.max(...fitting));
}

/** Frames per second, snapped to a rate in common use where it is near one. */
export function estimateFrameRate(timing: FrameTiming): number {
  const rate = 1 / timing.mean;
  const near = COMMON_FRAME_RATES.toSorted((a, b) => Math.abs(a - rate) - Math.abs(b - rate))[0] ?? rate;
  return Math.abs(near - rate) <= near * FRAME_RATE_TOLERANCE ? near : rate;
}

function wholeFrames(track: FrameTiming, target: number): number {
  return Math.floor(target / track.mean + EPSILON) * track.mean;
}
