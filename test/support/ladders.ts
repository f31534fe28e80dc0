/** Ladders that tests and benchmarks configure, as they stand in the origin's configuration file. */

/** Everything as received. */
export const COPY_LADDER = {
  video: [{ name: 'source', codec: 'copy' }],
  audio: { name: 'audio', codec: 'copy', bitrate: 128_000 },
} as const;

/** The picture as received, beside sound that ffmpeg encodes: what is all copy takes no ffmpeg over RTMP. */
export const COPIED_PICTURE_LADDER = {
  video: [{ name: 'source', codec: 'copy' }],
  audio: { name: 'audio', codec: 'aac', bitrate: 128_000 },
} as const;

/** One encoded rung, cheap enough for any machine. */
export const ENCODED_LADDER = {
  video: [{ name: '360p', codec: 'h264', height: 360, bitrate: 800_000, preset: 'ultrafast' }],
  audio: { name: 'audio', codec: 'aac', bitrate: 128_000 },
} as const;

/** The source as received beside a small encoded rung. */
export const MIXED_LADDER = {
  video: [
    { name: 'source', codec: 'copy' },
    { name: '90p', codec: 'h264', height: 90, bitrate: 150_000, preset: 'ultrafast' },
  ],
  audio: { name: 'audio', codec: 'aac', bitrate: 96_000 },
} as const;
