import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCaptions } from '#shared/codec/captions.ts';
import { readDisplayRotation } from '#shared/codec/display-orientation.ts';
import { ticks, timescale } from '#shared/media-time.ts';
import { CaptionDetector } from './caption-detector.ts';
import type { Sample, Track } from './sample.ts';

const FIELD_ONE = 'fcc8c9';
const FIELD_ONE_PADDING = 'fc8080';
const FIELD_TWO = 'fdc8c9';
const FIELD_TWO_PADDING = 'fd8080';
const SERVICE = 'ff0221';
const INVALID = 'f80000';

/** An SEI message, and one of another kind before it. */
function message(...triples: readonly string[]): Buffer {
  const data = Buffer.from(
    `b50031474139340 3${(0x40 + triples.length).toString(16)}ff${triples.join('')}ff`.replace(' ', ''),
    'hex',
  );
  return Buffer.concat([Buffer.from([5, 1, 0xaa, 4, data.length]), data, Buffer.from([0x80])]);
}

function unit(header: readonly number[], body: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(header.length + body.length);
  return Buffer.concat([length, Buffer.from(header), body]);
}

function sample(data: Uint8Array): Sample {
  return { decodeTime: ticks(0), duration: ticks(1), compositionOffset: 0, sync: true, data };
}

function track(id: number, codecs: string): Track {
  const size = { width: 320, height: 180, channels: 0, sampleRate: 0 };
  return { id, kind: 'video', timescale: timescale(90_000), sampleEntry: new Uint8Array(), codecs, ...size };
}

const H264_SEI = [6];
const HEVC_SEI = [39 << 1, 1];

describe('CaptionDetector', () => {
  it.each([
    [['CC1'], [FIELD_ONE]],
    [['CC1'], [FIELD_ONE_PADDING, FIELD_TWO_PADDING]],
    [
      ['CC1', 'CC3'],
      [FIELD_ONE_PADDING, FIELD_TWO, SERVICE],
    ],
    [['SERVICE1'], [INVALID, SERVICE]],
    [[], [INVALID]],
  ])('finds %j in the cc_data of an H.264 picture', (channels, triples) => {
    const detector = new CaptionDetector([track(1, 'avc1.64001f'), track(2, 'avc1.64001f')]);
    detector.take(
      1,
      sample(Buffer.concat([unit([9], Buffer.of(0xf0)), unit(H264_SEI, message(...triples))])),
    );
    expect(detector.channels).toEqual(channels);
    expect([detector.has(1), detector.has(2)]).toEqual([true, false]);
  });

  it('knows the prefix SEI of HEVC, and looks at nothing of other codecs', () => {
    const detector = new CaptionDetector([track(1, 'hvc1.1.6.L93.90'), track(2, 'av01.0.05M.08')]);
    detector.take(1, sample(unit(HEVC_SEI, message(FIELD_ONE))));
    detector.take(2, sample(unit(H264_SEI, message(FIELD_TWO))));
    expect(detector.channels).toEqual(['CC1']);
    expect([detector.has(1), detector.has(2)]).toEqual([true, false]);
  });

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const detector = new CaptionDetector([track(1, 'avc1.64001f')]);
        detector.take(1, sample(bytes));
        detector.take(1, sample(unit(H264_SEI, bytes)));
        readDisplayRotation(bytes);
        expect(readCaptions(bytes) ?? true).toBeTruthy();
      }),
    );
  });
});
