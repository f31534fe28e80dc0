import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAudioTag as readAudioTags } from './audio-tag.ts';
import type { CodecTag, TrackTag } from './codec-tag.ts';
import { readVideoTag as readVideoTags } from './video-tag.ts';

function bytes(hex: string, text = '', rest = ''): Uint8Array {
  return Buffer.concat([
    Buffer.from(hex.replaceAll(' ', ''), 'hex'),
    Buffer.from(text),
    Buffer.from(rest.replaceAll(' ', ''), 'hex'),
  ]);
}

const IGNORED: CodecTag = { kind: 'ignored' };

/** The one track's tag, without its track number. */
function readVideoTag(body: Uint8Array): CodecTag {
  return withoutTrack(readVideoTags(body));
}

function readAudioTag(body: Uint8Array): CodecTag {
  return withoutTrack(readAudioTags(body));
}

function withoutTrack([first]: readonly TrackTag[]): CodecTag {
  if (first === undefined) {
    return IGNORED;
  }
  const { track, ...tag } = first;
  expect(track).toBe(0);
  return tag;
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
    expect(readVideoTag(bytes('97 02aabbcc'))).toMatchObject({ kind: 'malformed' });
  });

  test('HEVC states a composition time with CodedFrames, AV1 and VP9 never do', () => {
    expect(readVideoTag(bytes('91', 'hvc1', '000021 26'))).toMatchObject({ codec: 'hevc', key: true });
    expect(bodyHex(readVideoTag(bytes('91', 'hvc1', '000021 26')))).toBe('170100002126');
    expect(bodyHex(readVideoTag(bytes('a3', 'hvc1', '02')))).toBe('270100000002');
    expect(readVideoTag(bytes('a1', 'av01', '12'))).toMatchObject({ codec: 'av1', key: false });
    expect(bodyHex(readVideoTag(bytes('a1', 'av01', '12')))).toBe('270100000012');
    expect(bodyHex(readVideoTag(bytes('91', 'vp09', '82')))).toBe('170100000082');
  });

  test.each(['hvc1', 'av01', 'vp09'])(
    '%s: a sequence start holds the record, metadata and end nothing',
    (fourCc) => {
      const start = readVideoTag(bytes('90', fourCc, '0102'));
      expect(start.kind === 'sequence-header' && [...start.configuration]).toEqual([1, 2]);
      expect(readVideoTag(bytes('94', fourCc, '02'))).toEqual(IGNORED);
      expect(readVideoTag(bytes('92', fourCc))).toEqual(IGNORED);
    },
  );

  test('a sequence start in the form of MPEG-2 TS is unsupported by name', () => {
    expect(readVideoTag(bytes('95', 'av01', '00'))).toMatchObject({
      codec: 'a sequence start in the form of MPEG-2 TS (av01)',
    });
  });

  test.each([
    ['vvc1', 'VVC (vvc1)'],
    ['vp08', 'VP8 (vp08)'],
    ['zzzz', 'video with an unknown FourCC'],
  ])('FourCC %s is unsupported by name', (fourCc, codec) => {
    expect(readVideoTag(bytes('90', fourCc, '01'))).toEqual({ kind: 'unsupported', codec });
  });

  test.each(['90', '90 6876', '96', '96 00 61766331', '96 10 61766331 00 000005 01'])(
    'an enhanced header that ends early is malformed: %s',
    (header) => {
      expect(readVideoTag(bytes(header))).toMatchObject({
        kind: 'malformed',
        detail: 'an Enhanced RTMP video tag is cut short',
      });
    },
  );

  test('multitrack: one track, many tracks of one codec, and of many', () => {
    expect(readVideoTags(bytes('96 03', 'avc1', '02 65'))).toMatchObject([{ track: 2, codec: 'h264' }]);
    expect(readVideoTags(bytes('96 13', 'hvc1', '00 000001 26 01 000001 26'))).toMatchObject([
      { track: 0, codec: 'hevc' },
      { track: 1, codec: 'hevc' },
    ]);
    const mixed = bytes('96 23 61763031 00 000001 12 76703039 05 000001 82');
    expect(readVideoTags(mixed)).toMatchObject([
      { track: 0, codec: 'av1' },
      { track: 5, codec: 'vp9' },
    ]);
  });

  test('legacy codecs other than AVC are unsupported by name', () => {
    expect(readVideoTag(bytes('1c00000000'))).toEqual({
      kind: 'unsupported',
      codec: 'HEVC without Enhanced RTMP (codec id 12)',
    });
    expect(readVideoTag(bytes('1200'))).toEqual({ kind: 'unsupported', codec: 'Sorenson H.263' });
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

  test('Opus comes with its identification header, and packets', () => {
    expect(readAudioTag(bytes('90', 'Opus', '4f70'))).toMatchObject({
      kind: 'sequence-header',
      codec: 'opus',
    });
    expect(readAudioTag(bytes('91', 'Opus', 'fc01'))).toMatchObject({ kind: 'frame', codec: 'opus' });
  });

  test('other sound formats are unsupported by name', () => {
    expect(readAudioTag(bytes('90', 'fLaC', '01'))).toEqual({ kind: 'unsupported', codec: 'FLAC' });
    expect(readAudioTag(bytes('90', 'ac-3', '01'))).toEqual({ kind: 'unsupported', codec: 'AC-3' });
    expect(readAudioTag(bytes('2f00'))).toEqual({ kind: 'unsupported', codec: 'MP3' });
    expect(readAudioTag(bytes('90', 'Op'))).toMatchObject({ kind: 'malformed' });
  });
});

test('any bytes read as some kind of tag', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (body) => {
      expect(readVideoTags(body)).toBeInstanceOf(Array);
      expect(readAudioTags(body)).toBeInstanceOf(Array);
      const enhanced = Uint8Array.of(0x90 | ((body[0] ?? 0) & 0xf), ...body.subarray(1));
      expect(readVideoTags(enhanced)).toBeInstanceOf(Array);
      expect(readAudioTags(enhanced)).toBeInstanceOf(Array);
    }),
  );
});
