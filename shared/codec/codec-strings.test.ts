import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { av1CodecString, parseAv1Configuration, parseAv1SequenceHeader } from './av1.ts';
import { hevcCodecString, parseHevcConfiguration, parseHevcSequenceParameterSet } from './hevc.ts';
import { opusPacketMilliseconds, parseOpusHead } from './opus.ts';
import { parseVp9Configuration, parseVp9KeyFrame, vp9CodecString } from './vp9.ts';

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** Of x265, 318x178: Main in 8 bits, and Main 10. */
const HVCC = hex(
  '0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c959409a1000' +
    '1002b42010101600000030090000003000003003ca00a080c1d446595952930bc05a020000003002000000303c1a2000100064401c073c189',
);
const HVCC_10 = hex(
  '0102200000009000000000003cf000fcfdfafa00000f03a00001001840010c01ffff02200000030090000003000003003c959409a1000' +
    '1002c42010102200000030090000003000003003ca00a080c1d4436595952930bc05a020000003002000003003c10a2000100064401c073c189',
);
/** Of SVT-AV1, 318x178. */
const AV1C = hex('81000c000a0b000000043cf6c402f80040');
/** Of libvpx in BT.709 and in PQ, as ffmpeg's boxes hold them: with version and flags. */
const VPCC = hex('01000000000b820101010000');
const VPCC_PQ = hex('01000000020ba20910090000');
/** Begin of a key frame of libvpx, 318x178. */
const VP9_KEY_FRAME = hex('824983424013d00b1606');
const OPUS_HEAD = hex('4f707573486561640102380180bb0000000000');

describe('HEVC', () => {
  test('the codec string is that of ISO/IEC 14496-15 annex E', () => {
    const main = parseHevcConfiguration(HVCC);
    const main10 = parseHevcConfiguration(HVCC_10);
    expect(main.ok && hevcCodecString(main.value)).toBe('hvc1.1.6.L60.90');
    expect(main10.ok && hevcCodecString(main10.value)).toBe('hvc1.2.4.L60.90');
  });

  test('space, tier and all constraint bytes have their places', () => {
    const constraints = Uint8Array.of(0xb0, 0, 0, 1, 0, 0);
    const profile = { space: 1, highTier: true, profile: 4, compatibility: 0x0800_0000, level: 153 };
    expect(hevcCodecString({ ...profile, constraints })).toBe('hvc1.A4.10.H153.B0.0.0.1');
  });

  test('the picture size is that inside the conformance window', () => {
    const record = parseHevcConfiguration(HVCC);
    const set = record.ok ? (record.value.sequenceParameterSets[0] ?? new Uint8Array()) : new Uint8Array();
    expect(parseHevcSequenceParameterSet(set)).toMatchObject({
      value: { width: 318, height: 178, level: 60 },
    });
  });

  test('a record that is cut short, or without a sequence parameter set, is malformed', () => {
    expect(parseHevcConfiguration(HVCC.subarray(0, 40))).toMatchObject({
      failure: { detail: 'truncated parameter sets' },
    });
    expect(parseHevcConfiguration(HVCC.map((byte, at) => (at === 22 ? 0 : byte)))).toMatchObject({
      failure: { detail: 'no sequence parameter set' },
    });
  });
});

describe('AV1', () => {
  test('the codec string has profile, level with tier and bit depth', () => {
    const record = parseAv1Configuration(AV1C);
    expect(record.ok && av1CodecString(record.value)).toBe('av01.0.00M.08');
    const deep = parseAv1Configuration(hex('814de000'));
    expect(deep.ok && av1CodecString(deep.value)).toBe('av01.2.13H.12');
  });

  test('the picture size is that of the sequence header, behind a temporal delimiter too', () => {
    const picture = { value: { width: 318, height: 178 } };
    expect(parseAv1SequenceHeader(AV1C.subarray(4))).toMatchObject(picture);
    expect(parseAv1SequenceHeader(Uint8Array.of(0x12, 0, ...AV1C.subarray(4)))).toMatchObject(picture);
    expect(parseAv1SequenceHeader(hex('1200'))).toMatchObject({ failure: { detail: 'no sequence header' } });
  });
});

describe('VP9', () => {
  test('the codec string is short for BT.709 and complete for other colours', () => {
    const usual = parseVp9Configuration(VPCC);
    const pq = parseVp9Configuration(VPCC_PQ);
    expect(usual.ok && vp9CodecString(usual.value)).toBe('vp09.00.11.08');
    expect(pq.ok && vp9CodecString(pq.value)).toBe('vp09.02.11.10.01.09.16.09.00');
  });

  test('a record reads the same with and without version and flags', () => {
    expect(parseVp9Configuration(VPCC.subarray(4))).toEqual(parseVp9Configuration(VPCC));
    expect(parseVp9Configuration(hex('0000000000000000'))).toMatchObject({ ok: false });
  });

  test('the picture size is that of a key frame', () => {
    expect(parseVp9KeyFrame(VP9_KEY_FRAME)).toMatchObject({ value: { width: 318, height: 178 } });
    expect(parseVp9KeyFrame(hex('8600'))).toMatchObject({ failure: { detail: 'not a key frame' } });
  });
});

describe('Opus', () => {
  test('the identification header tells the channels', () => {
    expect(parseOpusHead(OPUS_HEAD)).toMatchObject({ value: { channels: 2 } });
    expect(parseOpusHead(OPUS_HEAD.subarray(1))).toMatchObject({ ok: false });
  });

  test.each([
    ['fc', 20],
    ['f801', 20],
    ['e3', 0],
    ['0b03', 60],
    ['61', 20],
    ['7a', 40],
    ['e0', 2.5],
    ['', 0],
  ])('a packet that begins with %s lasts %d ms', (packet, duration) => {
    expect(opusPacketMilliseconds(hex(packet))).toBe(duration);
  });
});

test('any bytes are read or refused', () => {
  const readers = [
    parseHevcConfiguration,
    parseHevcSequenceParameterSet,
    parseAv1Configuration,
    parseAv1SequenceHeader,
    parseVp9Configuration,
    parseVp9KeyFrame,
    parseOpusHead,
  ];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      for (const read of readers) {
        expect(read(bytes).ok).toBeTypeOf('boolean');
      }
    }),
  );
});
