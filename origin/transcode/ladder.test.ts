import { describe, expect, it } from 'vitest';
import { encoderNeeds } from './encoder-setup.ts';
import { DEFAULT_LADDER, ladderSchema } from './ladder.ts';

const rung = { name: '720p', codec: 'h264', height: 720, bitrate: 2_800_000 };

describe('ladderSchema', () => {
  it('takes an encoded rung, a copy rung and no audio', () => {
    const ladder = ladderSchema.parse({ video: [{ name: 'source', codec: 'copy' }, rung], audio: null });
    expect(ladder.video).toEqual([
      { name: 'source', codec: 'copy' },
      { ...rung, bufferSeconds: 1 },
    ]);
  });

  it.each([
    ['two renditions of one name', { video: [rung, rung], audio: null }],
    ['no rung at all', { video: [], audio: null }],
    ['two copy rungs', { video: ['a', 'b'].map((name) => ({ name, codec: 'copy' })), audio: null }],
    ['a name that is no rendition name', { video: [{ ...rung, name: '../x' }], audio: null }],
    ['an option value with a space', { video: [{ ...rung, preset: 'fast -y' }], audio: null }],
    ['an unknown field', { video: [{ ...rung, bitrat: 1 }], audio: null }],
  ])('refuses %s', (_what, ladder) => {
    expect(ladderSchema.safeParse(ladder).success).toBe(false);
  });

  it.each([
    ['a caption channel that is none', { video: [rung], audio: null, captions: [{ channel: 'CC5' }] }],
    [
      'a caption channel twice',
      { video: [rung], audio: null, captions: [{ channel: 'CC1' }, { channel: 'CC1' }] },
    ],
    ['a device with a space', { video: [rung], audio: null, device: '/dev/dri -y' }],
    ['a rotation that is no quarter', { video: [rung], audio: null, rotate: 45 }],
    [
      'more languages than there may be',
      { video: [rung], audio: { codec: 'aac', bitrate: 64_000, languages: 9 } },
    ],
    [
      'loudness of copied audio',
      { video: [], audio: { codec: 'copy', bitrate: 64_000, loudness: { target: -16 } } },
    ],
  ])('refuses %s', (_what, ladder) => {
    expect(ladderSchema.safeParse(ladder).success).toBe(false);
  });

  it('names what is to be encoded where, each once', () => {
    const hevc = { ...rung, name: 'h', codec: 'hevc', encoder: 'software' };
    const mixed = ladderSchema.parse({ video: [rung, hevc], audio: null, encoder: 'auto', device: '1' });
    expect(encoderNeeds([DEFAULT_LADDER, mixed, mixed])).toEqual([
      { codec: 'h264', choice: 'software', device: undefined },
      { codec: 'h264', choice: 'auto', device: '1' },
      { codec: 'hevc', choice: 'software', device: '1' },
    ]);
  });
});
