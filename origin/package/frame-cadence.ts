/** Knows a track's recent frame durations and says when the next frame will not fit into a part any more. */

/** Durations remembered: more than two parts of a second at 60 frames a second. */
const HISTORY_FRAMES = 128;
/** Share of PART-TARGET that a part reaches unless its segment ends, rfc8216bis §4.4.4.9. */
export const MIN_PART_FILL = 0.85;
/** Share of the last duration that the next frame lasts at least, jitter allowed for. */
const SHORTEST_NEXT_FRAME = 0.75;

/** Recent durations of one track, in its ticks. */
export class FrameCadence {
  readonly #durations: number[] = [];

  /** The last duration, 0 before the first. */
  get last(): number {
    return this.#durations.at(-1) ?? 0;
  }

  /** Notes a frame's duration. */
  add(duration: number): void {
    this.#durations.push(duration);
    if (this.#durations.length > HISTORY_FRAMES) {
      this.#durations.shift();
    }
  }

  /**
   * Whether a part of `frames` frames lasting `sum` is to be closed at once. Millisecond time stamps make equal
   * frames last 33, 33, 34: what counts is whether one frame more has always fitted lately.
   */
  isFull(part: { readonly frames: number; readonly sum: number }, target: number): boolean {
    if (part.sum + SHORTEST_NEXT_FRAME * this.last > target) {
      return true;
    }
    if (part.sum < MIN_PART_FILL * target) {
      return false;
    }
    return (this.#longest(part.frames + 1) ?? part.sum + Math.min(...this.#durations)) > target;
  }

  /** The longest that `frames` consecutive frames lasted, `undefined` before there were as many. */
  #longest(frames: number): number | undefined {
    if (this.#durations.length < frames) {
      return undefined;
    }
    let sum = 0;
    let longest = 0;
    for (const [index, duration] of this.#durations.entries()) {
      sum += duration - (index < frames ? 0 : (this.#durations[index - frames] ?? 0));
      longest = Math.max(longest, sum);
    }
    return longest;
  }
}
