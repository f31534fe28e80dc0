import { describe, expect, it } from 'vitest';
import { DEFAULT_LADDER, ladderSchema, requiredEncoders } from './ladder.ts';

const rung = { name: '720p', codec: 'h264', height: 720, bitrate: 2_800_000 };

describe('ladderSchema', () => {
  it('takes an encoded rung, a copy rung and no audio', () => {
    const ladder = ladderSchema.parse({ video: [{ name: 'source', codec: 'copy' }, rung], audio: null });
    expect(ladder.video).toEqual([
      { name: 'source', codec: 'copy' },
      { ...rung, encoder: 'libx264' },
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

  it('names the encoders a ladder needs, AAC whenever there is audio', () => {
    expect(requiredEncoders(DEFAULT_LADDER)).toEqual(['libx264', 'aac']);
    expect(requiredEncoders({ video: [{ name: 'source', codec: 'copy' }], audio: null })).toEqual([]);
  });
});
