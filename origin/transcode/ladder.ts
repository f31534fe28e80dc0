/** The rendition ladder as it stands in configuration. */

import { z } from 'zod';

/** Most video rungs of one ladder: each costs an encoder, and a packager track. */
const MAX_RUNGS = 12;

const name = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, {
  message: 'a rendition name is a to z, 0 to 9, "-" and "_", at most 64 characters',
});
const bitrate = z.int().min(8_000).max(400_000_000);
const word = z.string().regex(/^[a-z0-9_.-]{1,32}$/, { message: 'expected one ffmpeg option value' });

const copyRung = z.strictObject({
  name: name.describe('name of the rendition'),
  codec: z.literal('copy').describe('as received; at most one video rung'),
});

const h264Rung = z.strictObject({
  name: name.describe('name of the rendition'),
  codec: z.literal('h264').describe('encoded'),
  height: z
    .int()
    .min(16)
    .max(8640)
    .describe("lines of the picture's shorter side: 720 is 1280x720, and 720x1280 for an upright source"),
  bitrate: bitrate.describe('target, bits per second'),
  maxBitrate: bitrate
    .optional()
    .describe(
      "peak that the encoder's buffer model allows, bits per second; 1.2 times the bitrate unless set",
    ),
  encoder: z
    .enum(['libx264', 'h264_nvenc', 'h264_qsv', 'h264_videotoolbox'])
    .default('libx264')
    .describe("ffmpeg's encoder"),
  preset: word.optional().describe("the encoder's own word; superfast for libx264"),
  tune: word.optional().describe("the encoder's own word; zerolatency for libx264"),
  profile: word.optional().describe("the encoder's own word; high for libx264"),
});

const videoRung = z.discriminatedUnion('codec', [h264Rung, copyRung]);

const audioRung = z.strictObject({
  name: name.default('audio').describe('name of the rendition'),
  codec: z
    .enum(['aac', 'copy'])
    .describe(
      'copy holds for FLV sources; MPEG-TS audio is encoded, since its configuration arrives too late',
    ),
  bitrate: bitrate.max(512_000).describe('target, bits per second'),
});

/** Reads a ladder from configuration: video rungs from best to smallest, and audio as its own rendition. */
export const ladderSchema = z
  .strictObject({
    video: z.array(videoRung).max(MAX_RUNGS).describe('video rungs from best to smallest'),
    audio: audioRung.nullable().describe('the audio rung, or null for none'),
  })
  .superRefine((ladder, context) => {
    const names = [...ladder.video, ...(ladder.audio === null ? [] : [ladder.audio])].map(
      (rung) => rung.name,
    );
    if (new Set(names).size < names.length) {
      context.addIssue({ code: 'custom', message: `rendition names must differ, got ${names.join(', ')}` });
    }
    if (names.length === 0) {
      context.addIssue({ code: 'custom', message: 'a ladder needs a video rung or an audio rung' });
    }
    if (ladder.video.filter((rung) => rung.codec === 'copy').length > 1) {
      context.addIssue({ code: 'custom', message: 'a ladder has at most one copy rung' });
    }
  });

/** A ladder with its defaults filled in. */
export type Ladder = z.infer<typeof ladderSchema>;
/** A rung that is encoded. */
export type EncodedRung = z.infer<typeof h264Rung>;
/** A video rung of either kind. */
export type VideoRung = z.infer<typeof videoRung>;
/** The audio rung. */
export type AudioRung = z.infer<typeof audioRung>;

/** The ladder of a stream that configures none. */
export const DEFAULT_LADDER: Ladder = ladderSchema.parse({
  video: [
    { name: '1080p', codec: 'h264', height: 1080, bitrate: 5_000_000 },
    { name: '720p', codec: 'h264', height: 720, bitrate: 2_800_000 },
    { name: '480p', codec: 'h264', height: 480, bitrate: 1_400_000 },
    { name: '360p', codec: 'h264', height: 360, bitrate: 800_000 },
  ],
  audio: { name: 'audio', codec: 'aac', bitrate: 128_000 },
});

/** The ffmpeg encoders that a ladder needs. */
export function requiredEncoders(ladder: Ladder): readonly string[] {
  const video = ladder.video.flatMap((rung) => (rung.codec === 'copy' ? [] : [rung.encoder]));
  // A copy rung still encodes what comes as MPEG-TS, so AAC is needed whenever there is audio.
  return [...new Set([...video, ...(ladder.audio === null ? [] : ['aac'])])];
}
