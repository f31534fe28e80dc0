/** What the page needs of a player, be it hls.js or the browser's own. */

import type { PlayerEngine } from './qoe/rill-qoe.ts';

/** Why playback came to an end. */
export type PlaybackEnd =
  | { readonly kind: 'ended' }
  /** The player cannot go on by itself; the edge tells why when it is asked again. */
  | { readonly kind: 'failed'; readonly detail: string };

/** A running playback on a video element. */
export interface Playback {
  /** Settles once, when playback has ended or failed. */
  readonly end: Promise<PlaybackEnd>;
  /** The player for the measurement to ask, with its name and version. */
  readonly engine: {
    readonly engine?: PlayerEngine;
    readonly player: string;
    readonly playerVersion?: string;
  };
  /** Seconds from the camera's clock to the picture, `undefined` where not known. */
  latency(): number | undefined;
  /** The rendition in the picture, `undefined` where not known. */
  rendition(): { readonly height: number; readonly bitrate: number | undefined } | undefined;
  /** Lets go of the video element. */
  stop(): void;
}
