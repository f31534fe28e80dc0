/** Reads a video element as a sample of a session. */

import type { Sample } from '../../../shared/qos/player/media-input.ts';
import { bufferedAhead } from '../measurement.ts';
import { clockLatency, shownRendition, type PlayerEngine } from './player-engine.ts';

/** Most buffered ranges that are looked at; an element that has more is not being played. */
const MAX_RANGES = 100;

/** Reads a video element now; `tellsFrames` where `requestVideoFrameCallback` is in use. */
export function readSample(
  video: HTMLVideoElement,
  engine: PlayerEngine | undefined,
  tellsFrames: boolean,
): Sample {
  const { currentTime, playbackRate, seeking } = video;
  const ranges = bufferedRanges(video);
  const quality = video.getVideoPlaybackQuality?.();
  return {
    at: performance.now(),
    position: pictureEnd(ranges, currentTime),
    rate: playbackRate,
    seeking,
    tellsFrames: tellsFrames && video.videoWidth > 0,
    ...shownRendition(video, engine),
    latencyMs:
      video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA
        ? undefined
        : clockLatency(video, engine, Date.now()),
    bufferMs: bufferedAhead(ranges, currentTime) * 1000,
    droppedFrames: quality?.droppedVideoFrames,
    decodedFrames: quality?.totalVideoFrames,
  };
}

/** A range of media, seconds. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * The position, but no further than the media that is there: browsers play sound on for seconds after the picture
 * has run out, and the time with it.
 */
export function pictureEnd(ranges: readonly Range[], position: number): number {
  const before = ranges.findLast(({ start }) => start <= position);
  return before === undefined ? position : Math.min(position, before.end);
}

function bufferedRanges({ buffered }: HTMLVideoElement): readonly Range[] {
  return Array.from({ length: Math.min(buffered.length, MAX_RANGES) }, (_, index) => ({
    start: buffered.start(index),
    end: buffered.end(index),
  }));
}
