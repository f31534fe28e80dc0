import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAudioTag } from './audio-tag.ts';
import type { CodecTag } from './codec-tag.ts';
import { readVideoTag } from './video-tag.ts';

function bytes(hex: string, text = '', rest = ''): Uint8Array {
  return Buffer.concat([
    Buffer.from(hex.replaceAll(' ', ''), 'hex'),
    Buffer.from(text),
    Buffer.from(rest.replaceAll(' ', ''), 'hex'),
  ]);
}

function bodyHex(tag: CodecTag): string {
  return 'body' in tag ? Buffer.from(tag.body).toString('hex') : tag.kind;
}

describe('video', () => {
  test('legacy AVC frames are told apart by frame type and packet type', () => {
    expect(readVideoTag(bytes('1700000000 0164'))).toMatchObject({ kind: 'sequence-header' });
    expect(readVideoTag(bytes('1701000000 65'))).toMatchObject({ kind: 'frame', key: true });
    expect(readVideoTag(bytes('2701000021 41'))).toMatchObject({ kind: 'frame', key: false });
    expect(readVideoTag(bytes('1702000000'))).toEqual({ kind: 'ignored' });
    expect(readVideoTag(bytes('5700'))).toEqual({ kind: 'ignored' });
    expect(readVideoTag(bytes(''))).toEqual({ kind: 'ignored' });
  });

  test('avc1 under ExVideoTagHeader becomes the legacy body of the same meaning', () => {
    expect(bodyHex(readVideoTag(bytes('90', 'avc1', '0164')))).toBe('17000000000164');
    expect(bodyHex(readVideoTag(bytes('91', 'avc1', '00002165')))).toBe('170100002165');
    expect(bodyHex(readVideoTag(bytes('a3', 'avc1', '41')))).toBe('270100000041');
    expect(bodyHex(readVideoTag(bytes('92', 'avc1')))).toBe('ignored');
  });

  test('a ModEx prefix is stepped over', () => {
    expect(bodyHex(readVideoTag(bytes('97 02aabbcc 03', 'avc1', '65')))).toBe('170100000065');
    expect(bodyHex(readVideoTag(bytes('97 02aabbcc')))).toBe('ignored');
  });

  test.each([
    ['hvc1', 'HEVC (hvc1)'],
    ['av01', 'AV1 (av01)'],
    ['vp09', 'VP9 (vp09)'],
    ['zzzz', 'an unknown video FourCC'],
  ])('FourCC %s is unsupported by name', (fourCc, codec) => {
    expect(readVideoTag(bytes('90', fourCc, '01'))).toEqual({ kind: 'unsupported', codec });
  });

  test('legacy codecs other than AVC are unsupported by name', () => {
    expect(readVideoTag(bytes('1c00000000'))).toEqual({ kind: 'unsupported', codec: 'HEVC (codec id 12)' });
    expect(readVideoTag(bytes('1200'))).toEqual({ kind: 'unsupported', codec: 'Sorenson H.263' });
    expect(readVideoTag(bytes('96 00', 'avc1'))).toMatchObject({ kind: 'unsupported' });
  });
});

describe('audio', () => {
  test('legacy AAC is told apart by packet type', () => {
    expect(readAudioTag(bytes('af00 1210'))).toMatchObject({ kind: 'sequence-header' });
    expect(readAudioTag(bytes('af01 21'))).toMatchObject({ kind: 'frame', key: true });
    expect(readAudioTag(bytes('af00'))).toEqual({ kind: 'ignored' });
  });

  test('mp4a under ExAudioTagHeader becomes the legacy body of the same meaning', () => {
    expect(bodyHex(readAudioTag(bytes('90', 'mp4a', '1210')))).toBe('af001210');
    expect(bodyHex(readAudioTag(bytes('91', 'mp4a', '21')))).toBe('af0121');
  });

  test('other sound formats are unsupported by name', () => {
    expect(readAudioTag(bytes('90', 'Opus', '01'))).toEqual({ kind: 'unsupported', codec: 'Opus' });
    expect(readAudioTag(bytes('2f00'))).toEqual({ kind: 'unsupported', codec: 'MP3' });
    expect(readAudioTag(bytes('95 01', 'mp4a'))).toMatchObject({ kind: 'unsupported' });
  });
});

test('any bytes read as some kind of tag', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (body) => {
      expect(readVideoTag(body).kind).toBeTypeOf('string');
      expect(readAudioTag(body).kind).toBeTypeOf('string');
    }),
  );
});
