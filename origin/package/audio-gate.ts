/** Holds audio back until video has passed it, so that the segment's end is known before audio is cut. */

import type { Milliseconds } from '#shared/media-time.ts';
import { compareInstants, laterInstant, secondsBetween, type Instant } from './instant.ts';
import type { Sample, Track } from './sample.ts';

/** Audio that waits. */
export interface HeldAudio {
  readonly track: Track;
  readonly sample: Sample;
}

/** How far audio may be ahead of video that has stopped, seconds of media. */
const MAX_LEAD_SECONDS = 1;
/** When video counts as stopped, milliseconds of wall clock. */
const VIDEO_STALL_MS = 1000;
/** How far audio may be ahead of video that still comes, seconds: longer than any encoder's look-ahead. */
const MAX_LEAD_OF_LIVE_VIDEO_SECONDS = 5;

/** The queue of audio in a run; without video it holds nothing back. */
export class AudioGate {
  readonly #hasVideo: boolean;
  #held: HeldAudio[] = [];
  #front: Instant | undefined;
  #lastVideo: number | undefined;

  constructor(hasVideo: boolean) {
    this.#hasVideo = hasVideo;
  }

  /** Queues a sample. */
  hold(track: Track, sample: Sample): void {
    this.#held.push({ track, sample });
    this.#front = laterInstant(endOf({ track, sample }), this.#front);
  }

  /** Notes that video still comes. */
  videoArrived(now: Milliseconds): void {
    this.#lastVideo = now;
  }

  /** Takes out what video, presented up to `videoFront`, has passed, and what may not wait any longer. */
  release(videoFront: Instant | undefined, now: Milliseconds): readonly HeldAudio[] {
    this.#lastVideo ??= now;
    if (!this.#hasVideo || this.#mayNotWait(videoFront, now)) {
      return this.releaseAll();
    }
    if (videoFront === undefined) {
      return [];
    }
    const passed = this.#held.filter((audio) => compareInstants(endOf(audio), videoFront) <= 0);
    if (passed.length > 0) {
      this.#held = this.#held.filter((audio) => compareInstants(endOf(audio), videoFront) > 0);
    }
    return passed;
  }

  /** Takes out everything. */
  releaseAll(): readonly HeldAudio[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }

  #mayNotWait(videoFront: Instant | undefined, now: Milliseconds): boolean {
    const [first] = this.#held;
    if (first === undefined || this.#front === undefined) {
      return false;
    }
    const from = videoFront ?? startOf(first);
    const lead = secondsBetween(from, this.#front);
    const stalled = now - (this.#lastVideo ?? now) >= VIDEO_STALL_MS;
    return lead >= (stalled ? MAX_LEAD_SECONDS : MAX_LEAD_OF_LIVE_VIDEO_SECONDS);
  }
}

function startOf({ track, sample }: HeldAudio): Instant {
  return { ticks: presentation(sample), timescale: track.timescale };
}

function endOf({ track, sample }: HeldAudio): Instant {
  return { ticks: presentation(sample) + sample.duration, timescale: track.timescale };
}

function presentation(sample: Sample): number {
  return sample.decodeTime + sample.compositionOffset;
}
