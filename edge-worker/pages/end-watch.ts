/** Notices that a stream has ended although its video element never says so. */

/** How near to the end of the last playlist the picture has to stand, seconds. */
const END_MARGIN = 0.5;
/** Looks in a row at a picture that stands there before it counts as the end. */
const STANDING_LOOKS = 3;
/** Time between two looks, milliseconds. */
export const END_LOOK_MS = 500;

/** A look at playback; times in seconds on the player's time line. */
export interface EndLook {
  /** Whether the newest playlist is without EXT-X-ENDLIST (rfc8216bis §4.4.3.4). */
  readonly live: boolean;
  /** Where the newest playlist ends. */
  readonly edge: number;
  readonly currentTime: number;
  readonly paused: boolean;
}

/**
 * hls.js gives no end to a buffer with a hole: a reconnect of the encoder leaves one of less than an audio frame,
 * which playback passes over, and `ended` is never fired. A picture that stands at the end has ended all the same.
 */
export class EndWatch {
  #standing = 0;
  #lastTime = Number.NaN;

  /** Takes a look; true once the stream has ended and its last picture is on screen. */
  hasEnded(look: EndLook): boolean {
    const stands = !look.live && !look.paused && look.edge - look.currentTime <= END_MARGIN;
    this.#standing = stands && look.currentTime === this.#lastTime ? this.#standing + 1 : 0;
    this.#lastTime = look.currentTime;
    return this.#standing >= STANDING_LOOKS;
  }
}
