/** What a playback session is told: the state of a video element at an instant, and what has just happened to it. */

/** What is known of playback besides its position; `undefined` where it is not. */
export interface PlaybackFacts {
  /** Bits per second of the rendition in the picture. */
  readonly bitrate?: number | undefined;
  /** Lines of the rendition in the picture. */
  readonly height?: number | undefined;
  /** From the camera's clock (EXT-X-PROGRAM-DATE-TIME) to the picture, milliseconds. */
  readonly latencyMs?: number | undefined;
  /** Media ahead of the picture, milliseconds. */
  readonly bufferMs?: number | undefined;
  /** Frames dropped since the media was loaded. */
  readonly droppedFrames?: number | undefined;
  /** Frames decoded since the media was loaded. */
  readonly decodedFrames?: number | undefined;
}

/** A video element at an instant. */
export interface Sample extends PlaybackFacts {
  /** Milliseconds by a clock that never goes back. */
  readonly at: number;
  /** Position up to which there is a picture, seconds: no further than the media that has been received. */
  readonly position: number;
  /** Rate at which the position advances. */
  readonly rate: number;
  /** The element is on its way to another position. */
  readonly seeking: boolean;
  /** Each new picture on screen is told as `frame`; where it is not, the position tells that playback has begun. */
  readonly tellsFrames: boolean;
}

/** What happened, with the element as it is just after. */
export type MediaInput =
  /** Nothing but time passing; several a second. */
  | { readonly kind: 'tick'; readonly sample: Sample }
  /** Play was requested, by the viewer or the page. */
  | { readonly kind: 'play'; readonly sample: Sample }
  /** The element was already playing when measuring began. */
  | { readonly kind: 'join'; readonly sample: Sample }
  /** Playback was paused, has reached its end, or its media was taken away. */
  | { readonly kind: 'pause'; readonly sample: Sample }
  /** The element says that it has run out of media. */
  | { readonly kind: 'waiting'; readonly sample: Sample }
  | { readonly kind: 'seeking'; readonly sample: Sample }
  | { readonly kind: 'hidden'; readonly sample: Sample }
  | { readonly kind: 'visible'; readonly sample: Sample }
  /** `detail` has no address and nothing of the viewer. */
  | { readonly kind: 'error'; readonly sample: Sample; readonly code: string; readonly detail?: string }
  /** The page is left, or measuring stops. */
  | { readonly kind: 'leave'; readonly sample: Sample }
  /** A picture came on screen; `mediaTime` is its presentation time stamp, seconds. */
  | { readonly kind: 'frame'; readonly at: number; readonly mediaTime: number };
