import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SourceAudio, SourceVideo } from '../ingest/media-feed.ts';
import { SOFTWARE_ONLY } from './encoder-table.ts';
import { DEFAULT_LADDER, ladderSchema, type Ladder } from './ladder.ts';
import type { PlannedRendition } from './planned-rendition.ts';
import { planRenditions } from './rendition-plan.ts';

const stereo: SourceAudio = { codec: 'aac', sampleRate: 48_000, channels: 2 };
const COPY_ONLY = ladderSchema.parse({
  video: [{ name: 'source', codec: 'copy' }],
  audio: { name: 'audio', codec: 'copy', bitrate: 128_000 },
});

function picture(width: number, height: number, frameRate: number | undefined = 30): SourceVideo {
  return { codec: 'h264', width, height, frameRate };
}

function plan(
  video: SourceVideo | undefined,
  audio: SourceAudio | undefined,
  ladder: Ladder = DEFAULT_LADDER,
  container: 'flv' | 'mpegts' = 'flv',
): readonly PlannedRendition[] {
  const result = planRenditions({ source: { video, audio }, container, ladder, encoders: SOFTWARE_ONLY });
  return result.ok ? result.value.renditions : [];
}

function sizes(video: SourceVideo): readonly string[] {
  return plan(video, undefined).flatMap((rendition) =>
    rendition.kind === 'video' ? [`${rendition.name} ${rendition.width}x${rendition.height}`] : [],
  );
}

describe('planRenditions', () => {
  it('gives a 1080p source the whole ladder and audio as its own rendition, last', () => {
    expect(plan(picture(1920, 1080), stereo).map((rendition) => rendition.name)).toEqual([
      '1080p',
      '720p',
      '480p',
      '360p',
      'audio',
    ]);
    expect(sizes(picture(1920, 1080))).toEqual([
      '1080p 1920x1080',
      '720p 1280x720',
      '480p 854x480',
      '360p 640x360',
    ]);
  });

  it('leaves out rungs above the source', () => {
    expect(sizes(picture(1280, 720))).toEqual(['720p 1280x720', '480p 854x480', '360p 640x360']);
  });

  it('gives a source below every rung one at its own size', () => {
    expect(sizes(picture(320, 240))).toEqual(['240p 320x240']);
    expect(sizes(picture(321, 241))).toEqual(['241p 320x240']);
  });

  it('measures an upright source by its shorter side', () => {
    expect(sizes(picture(720, 1280))).toEqual(['720p 720x1280', '480p 480x854', '360p 360x640']);
  });

  it('keeps a copy rung whatever the size, and copies FLV audio', () => {
    expect(plan(picture(320, 240), stereo, COPY_ONLY)).toMatchObject([
      { kind: 'video', width: 320, height: 240, encoding: { codec: 'copy' } },
      { kind: 'audio', sampleRate: 48_000, channels: 2, encoding: { codec: 'copy' } },
    ]);
  });

  it('encodes MPEG-TS audio although the rung says copy', () => {
    expect(plan(undefined, stereo, COPY_ONLY, 'mpegts')).toMatchObject([
      { encoding: { codec: 'aac', bitrate: 128_000 } },
    ]);
  });

  it('keeps mono and 44.1 kHz, and makes stereo at 48 kHz of what players may not know', () => {
    expect(plan(undefined, { codec: 'aac', sampleRate: 44_100, channels: 1 })).toMatchObject([
      { sampleRate: 44_100, channels: 1 },
    ]);
    expect(plan(undefined, { codec: 'aac', sampleRate: 96_000, channels: 6 })).toMatchObject([
      { sampleRate: 48_000, channels: 2 },
    ]);
  });

  it('gives no rung more than the source has, unless told to', () => {
    const peaks = (capToSource: boolean): readonly unknown[] => {
      const ladder = { ...DEFAULT_LADDER, capToSource };
      const source = { video: picture(1280, 720), audio: undefined };
      const planned = planRenditions({
        ...{ source, container: 'flv', ladder, encoders: SOFTWARE_ONLY, sourceBitrate: 1_000_000 },
      });
      return planned.ok
        ? planned.value.renditions.map(({ encoding }) => 'maxBitrate' in encoding && encoding.maxBitrate)
        : [];
    };
    expect(peaks(true)).toEqual([1_200_000, 1_200_000, 960_000]);
    expect(peaks(false)).toEqual([3_360_000, 1_680_000, 960_000]);
  });

  it('turns the picture before it chooses sizes, as the source or the ladder says', () => {
    const portrait = { ...picture(1920, 1080), rotation: 90 as const };
    expect(sizes(portrait)).toEqual(['1080p 1080x1920', '720p 720x1280', '480p 480x854', '360p 360x640']);
    const upright = plan(portrait, undefined, { ...DEFAULT_LADDER, rotate: 0 });
    expect(upright[0]).toMatchObject({ width: 1920, height: 1080 });
  });

  it('makes one audio rendition of each track, named by its language, at most as many as asked for', () => {
    const languages = ['eng', 'ger', 'qaa', 'deu', undefined].map((language, index) => ({
      ...stereo,
      language,
      streamId: 257 + index,
    }));
    const [audio, ...moreAudio] = languages;
    const audioRung = { name: 'audio', codec: 'aac', bitrate: 128_000, languages: 5 };
    const ladder = ladderSchema.parse({ video: [], audio: audioRung });
    const source = { video: undefined, audio, moreAudio };
    const planned = planRenditions({ source, container: 'mpegts', ladder, encoders: SOFTWARE_ONLY });
    expect(planned.ok && planned.value.renditions).toMatchObject([
      { name: 'audio', language: 'en', label: 'English', streamId: 257 },
      { name: 'audio-de', language: 'de', label: 'German', streamId: 258 },
      { name: 'audio-3', language: undefined, label: 'Audio 3', streamId: 259 },
      { name: 'audio-de-2', language: 'de', label: 'German 2', streamId: 260 },
      { name: 'audio-5', language: undefined, label: 'Audio 5', streamId: 261 },
    ]);
    const two = ladderSchema.parse({ video: [], audio: { ...audioRung, languages: 2 } });
    const fewer = planRenditions({ source, container: 'mpegts', ladder: two, encoders: SOFTWARE_ONLY });
    expect(fewer.ok && fewer.value.renditions).toHaveLength(2);
  });

  it('says what does not match when no rendition is left', () => {
    const result = planRenditions({
      source: { video: undefined, audio: stereo },
      container: 'flv',
      ladder: { ...DEFAULT_LADDER, audio: null },
      encoders: SOFTWARE_ONLY,
    });
    expect(result).toEqual({
      ok: false,
      failure: {
        reason: 'nothing-to-package',
        detail: 'the source carries audio, and the ladder has no rung for it',
      },
    });
  });

  it('never scales up and keeps even sides for any source', () => {
    const side = fc.integer({ min: 16, max: 8192 });
    fc.assert(
      fc.property(side, side, (width, height) => {
        for (const rendition of plan(picture(width, height), undefined)) {
          expect(rendition).toMatchObject({ kind: 'video' });
          if (rendition.kind === 'video') {
            expect([rendition.width % 2, rendition.height % 2]).toEqual([0, 0]);
            expect(rendition.width).toBeLessThanOrEqual(width);
            expect(rendition.height).toBeLessThanOrEqual(height);
          }
        }
      }),
    );
  });
});
