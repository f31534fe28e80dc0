/** Notices an ffmpeg that takes a feed and gives nothing back. */

import { milliseconds, type Milliseconds } from '#shared/media-time.ts';

/** What was seen of a run since its last output. */
export interface OutputWatch {
  /** When the first input came that no output has answered, or `undefined` when none is open. */
  readonly unansweredSince: Milliseconds | undefined;
  /** When input last came, or was last refused by a full pipe. */
  readonly lastInput: Milliseconds | undefined;
}

/** Something that happened at a run's pipes; `blocked` is input that waits because the pipe is full. */
export type WatchEvent = 'input' | 'blocked' | 'output';

/** A run that has seen nothing yet. */
export const NOTHING_SEEN: OutputWatch = { unansweredSince: undefined, lastInput: undefined };

/** Takes note of an event at `now`. */
export function observe(watch: OutputWatch, event: WatchEvent, now: Milliseconds): OutputWatch {
  if (event === 'output') {
    return { ...watch, unansweredSince: undefined };
  }
  return { unansweredSince: watch.unansweredSince ?? now, lastInput: now };
}

/** For how long input has flowed, or pushed, without any output. A feed that pauses adds nothing. */
export function stalledFor(watch: OutputWatch): Milliseconds {
  if (watch.unansweredSince === undefined || watch.lastInput === undefined) {
    return milliseconds(0);
  }
  return milliseconds(watch.lastInput - watch.unansweredSince);
}
