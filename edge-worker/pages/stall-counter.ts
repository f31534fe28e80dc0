/** Counts the stalls of a video element: waits after playback has begun that nobody asked for. */

/** A running count. */
export interface StallCounter {
  /** Stalls so far. */
  count(): number;
  /** Starts again from zero, as before the first frame. */
  reset(): void;
}

/** Counts the stalls of a video element from now on. */
export function countStalls(video: HTMLVideoElement): StallCounter {
  let stalls = 0;
  let begun = false;
  video.addEventListener('playing', () => {
    begun = true;
  });
  video.addEventListener('seeking', () => {
    begun = false;
  });
  video.addEventListener('waiting', () => {
    if (begun && !video.seeking && !video.paused && !video.ended) {
      stalls += 1;
      begun = false;
    }
  });
  return {
    count: () => stalls,
    reset: () => {
      stalls = 0;
      begun = false;
    },
  };
}
