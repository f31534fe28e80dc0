/** Decides where a segment ends: pure arithmetic over one sample and where the renditions are. */

import { seconds, type Seconds } from '#shared/media-time.ts';
import { compareInstants, laterInstant, secondsBetween, type Instant } from './instant.ts';
import type { Rendition } from './rendition.ts';
import type { Sample } from './sample.ts';

/** What the rule knows when a sample comes. */
export interface BoundaryQuestion {
  readonly rendition: Rendition;
  readonly renditions: readonly Rendition[];
  readonly sample: Sample;
  /** Start of the newest segment, whose end is asked for. */
  readonly start: Instant;
  readonly segmentDuration: Seconds;
  /** Where the rendition's key frame before was presented. */
  readonly lastKeyFrame: Instant | undefined;
  /** How much later than this sample others may still be presented, because pictures are reordered. */
  readonly reorderDelay: Seconds;
}

/** Where the next segment starts; `forced` where no key frame came in time. */
export interface Boundary {
  readonly at: Instant;
  readonly forced: boolean;
}

/** What EXTINF may exceed the target duration by, at most, before it rounds up, seconds. */
const HALF_SECOND = 0.5;

/** EXT-X-TARGETDURATION, whole seconds: every EXTINF rounds to at most this (rfc8216bis §4.4.3.1). */
export function chooseTargetDuration(segmentDuration: Seconds): number {
  return Math.ceil(segmentDuration);
}

/** Where the segment ends if it ends at or before this sample, else `undefined`. */
export function decideBoundary(question: BoundaryQuestion): Boundary | undefined {
  const { rendition, sample, start } = question;
  const at: Instant = {
    ticks: sample.decodeTime + sample.compositionOffset,
    timescale: rendition.track.timescale,
  };
  const frame = sample.duration / rendition.track.timescale;
  const elapsed = secondsBetween(start, at);
  if (elapsed <= 0) {
    return undefined;
  }
  const due = elapsed >= question.segmentDuration - frame / 2;
  if (rendition.track.kind === 'audio') {
    return due && isUsable(question, at, frame) ? { at, forced: false } : undefined;
  }
  const mayCut = sample.sync && (due || isLastChance(question, at, elapsed));
  if (mayCut && isUsable(question, at, frame)) {
    return { at, forced: false };
  }
  const extent = Math.max(elapsed + frame, rendition.extentWith(sample));
  if (extent < longestExtent(question)) {
    return undefined;
  }
  const front = question.renditions.reduce((latest, other) => laterInstant(latest, other.position), at);
  return { at: front, forced: true };
}

/** Whether waiting for the next key frame, one GOP of the last length on, would make the segment too long. */
function isLastChance(question: BoundaryQuestion, at: Instant, elapsed: number): boolean {
  if (question.lastKeyFrame === undefined) {
    return false;
  }
  return elapsed + secondsBetween(question.lastKeyFrame, at) >= longestExtent(question);
}

/**
 * How long a segment may get in the deciding rendition: EXTINF rounds to the target duration at most, and other
 * renditions' frames may reach past this one's by a frame. Never so short that a segment of the configured
 * duration does not fit.
 */
function longestExtent(question: BoundaryQuestion): Seconds {
  const others = question.renditions.filter((other) => other !== question.rendition);
  const longestFrame = Math.max(0, ...others.map((other) => other.lastDuration));
  const limit = chooseTargetDuration(question.segmentDuration) + HALF_SECOND;
  const frame = question.sample.duration / question.rendition.track.timescale;
  const least = Math.min(limit, question.segmentDuration + frame / 2);
  return seconds(Math.max(limit - longestFrame - question.reorderDelay, least));
}

/** A boundary may not lie before what a rendition has already been given, half a frame of jitter allowed for. */
function isUsable(question: BoundaryQuestion, at: Instant, frame: number): boolean {
  return question.renditions.every((other) => {
    if (other.position === undefined || compareInstants(other.position, at) <= 0) {
      return true;
    }
    const tolerance = other.track.kind === 'video' ? Math.max(frame, other.lastDuration) : frame;
    return secondsBetween(at, other.position) <= tolerance / 2;
  });
}
