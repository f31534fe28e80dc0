/** The rendition ladder as it stands in configuration. */

import { z } from 'zod';
import { captionsSchema } from './ladder-captions.ts';

/** Most video rungs of one ladder: each costs an encoder, and a packager track. */
const MAX_RUNGS = 12;
/** Most audio tracks of one source that become renditions. */
const MAX_LANGUAGES = 8;

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, {
    message: 'a rendition name is a to z, 0 to 9, "-" and "_", at most 64 characters',
  })
  .describe('name of the rendition');
const bitrate = z.int().min(8_000).max(400_000_000);
const word = z.string().regex(/^[a-z0-9_.-]{1,32}$/, { message: 'expected one ffmpeg option value' });
const encoder = z.enum(['auto', 'software', 'nvenc', 'vaapi', 'qsv', 'videotoolbox']);

const copyRung = z.strictObject({
  name,
  codec: z.literal('copy').describe('as received; at most one video rung'),
});

const encodedRung = z.strictObject({
  name,
  codec: z.enum(['h264', 'hevc', 'av1']).describe('what it is encoded to'),
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
  bufferSeconds: z
    .number()
    .min(0.1)
    .max(10)
    .default(1)
    .describe(
      'size of that buffer, seconds of the peak: what a key frame may borrow from the frames after it',
    ),
  quality: z
    .number()
    .min(1)
    .max(63)
    .optional()
    .describe(
      "constant quality on the encoder's own scale (x264: 18 to 30), capped by maxBitrate: easy pictures take less",
    ),
  encoder: encoder.optional().describe("in place of the ladder's encoder"),
  preset: word.optional().describe("the encoder's own word; its low-latency choice unless set"),
  tune: word.optional().describe("the encoder's own word; its low-latency choice unless set"),
  profile: word.optional().describe("the encoder's own word; high for H.264, main for HEVC and AV1"),
});

const videoRung = z.discriminatedUnion('codec', [encodedRung, copyRung]);

const audioRung = z.strictObject({
  name: name.default('audio'),
  codec: z
    .enum(['aac', 'copy'])
    .describe(
      'copy holds for FLV sources; MPEG-TS audio is encoded, since its configuration arrives too late',
    ),
  bitrate: bitrate.max(512_000).describe('target, bits per second'),
  languages: z
    .int()
    .min(1)
    .max(MAX_LANGUAGES)
    .default(4)
    .describe('audio tracks of a source that become renditions of one group, the first ones'),
  only: z.boolean().default(false).describe('a variant of audio alone beside those with pictures'),
  loudness: z
    .strictObject({
      target: z.number().min(-31).max(-6).describe('level to bring audio to, dB below full scale'),
    })
    .optional()
    .describe('evens the level out; unless set, loudness is left alone'),
});

/** Reads a ladder from configuration: video rungs from best to smallest, and audio as its own rendition. */
export const ladderSchema = z
  .strictObject({
    video: z.array(videoRung).max(MAX_RUNGS).describe('video rungs from best to smallest'),
    audio: audioRung.nullable().describe('the audio rung, or null for none'),
    encoder: encoder
      .default('software')
      .describe('where video is encoded; auto: the first hardware that works, else software'),
    device: z
      .string()
      .regex(/^[A-Za-z0-9/_.-]{1,128}$/, {
        message: 'expected a path like /dev/dri/renderD128, or a GPU number',
      })
      .optional()
      .describe('render node of vaapi and qsv, number of the GPU of nvenc; the first one unless set'),
    capToSource: z
      .boolean()
      .default(true)
      .describe('no rung is given more bits per second than the source has, as far as that is known'),
    deinterlace: z
      .enum(['auto', 'fields', 'off'])
      .default('auto')
      .describe(
        'auto: interlaced pictures become progressive; fields: at their field rate, which doubles the work',
      ),
    rotate: z
      .union([z.literal('auto'), z.literal(0), z.literal(90), z.literal(180), z.literal(270)])
      .default('auto')
      .describe('auto: as the source says; else degrees clockwise by which encoded pictures are turned'),
    captions: captionsSchema,
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
    if (ladder.audio?.codec === 'copy' && ladder.audio.loudness !== undefined) {
      context.addIssue({
        code: 'custom',
        message: 'loudness needs audio that is encoded: set its codec to aac',
      });
    }
  });

/** A ladder with its defaults filled in. */
export type Ladder = z.infer<typeof ladderSchema>;
/** A rung that is encoded. */
export type EncodedRung = z.infer<typeof encodedRung>;
/** A video rung of either kind. */
export type VideoRung = z.infer<typeof videoRung>;
/** The audio rung. */
export type AudioRung = z.infer<typeof audioRung>;
/** What video is encoded to. */
export type EncodedCodec = EncodedRung['codec'];
/** Where video is encoded, as configured. */
export type EncoderChoice = z.infer<typeof encoder>;

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
