/** One coded frame of one track, as it comes out of ffmpeg and goes into parts. */

import type { VideoRange } from '#shared/codec/video-range.ts';
import type { Ticks, Timescale } from '#shared/media-time.ts';

/** A coded frame. Times are in the track's timescale. */
export interface Sample {
  readonly decodeTime: Ticks;
  readonly duration: Ticks;
  /** Presentation time less decode time; may be negative. */
  readonly compositionOffset: number;
  /** True for a sync sample: decoding may start here. */
  readonly sync: boolean;
  readonly data: Uint8Array;
}

/** One track of ffmpeg's output: its codec configuration as one sample entry box, verbatim. */
export interface Track {
  readonly id: number;
  readonly kind: 'video' | 'audio';
  readonly timescale: Timescale;
  /** The whole sample entry box (`avc1`, `hvc1`, `av01`, `vp09`, `mp4a`, `Opus`) from `stsd`. */
  readonly sampleEntry: Uint8Array;
  /** RFC 6381. */
  readonly codecs: string;
  readonly width: number;
  readonly height: number;
  /** Of video alone. */
  readonly videoRange?: VideoRange | undefined;
  readonly channels: number;
  readonly sampleRate: number;
}
