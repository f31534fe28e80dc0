import { ticks, timescale } from '#shared/media-time.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Mp4FormatError } from '../mp4-format-error.ts';
import { childBoxes, type Box } from './box-tree.ts';
import { writeBox } from './box-writer.ts';
import { readColr } from './colr.ts';
import { writeDinf } from './dinf.ts';
import { readEsds } from './esds.ts';
import { readFtyp, writeFtyp } from './ftyp.ts';
import { readHdlr, writeHdlr } from './hdlr.ts';
import { MAX_TIMESCALE, readMdhd, writeMdhd } from './mdhd.ts';
import { readMfhd, writeMfhd } from './mfhd.ts';
import { writeMvhd } from './mvhd.ts';
import { writeSmhd } from './smhd.ts';
import { writeStbl } from './stbl.ts';
import { readStsd, writeStsd } from './stsd.ts';
import { readTfdt, writeTfdt } from './tfdt.ts';
import { readTfhd, writeTfhd } from './tfhd.ts';
import { readTkhd, writeTkhd } from './tkhd.ts';
import { readTrex, writeTrex } from './trex.ts';
import { readTrun, writeTrun } from './trun.ts';
import { writeVmhd } from './vmhd.ts';

const U32 = fc.integer({ min: 0, max: 0xffff_ffff });
const I32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const CODE = fc.stringMatching(/^[a-z0-9]{4}$/);

/** The one box that the bytes are. */
function only(bytes: Uint8Array): Box {
  const boxes = childBoxes('file', bytes);
  const [box] = boxes;
  if (box === undefined || boxes.length !== 1) {
    throw new Error(`${boxes.length} boxes`);
  }
  return box;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('colr', () => {
  const colr = (type: string, transfer: number): Uint8Array =>
    Buffer.concat([Buffer.from(type), Buffer.from([0, 9, 0, transfer, 0, 9, 0])]);

  it.each([
    ['nclx', 1, 'SDR'],
    ['nclx', 16, 'PQ'],
    ['nclx', 18, 'HLG'],
    ['nclc', 18, 'HLG'],
    ['prof', 16, 'SDR'],
  ])('%s with transfer %i is %s', (type, transfer, range) => {
    expect(readColr(colr(type, transfer))).toBe(range);
  });

  it('that ends too soon is named', () => {
    expect(() => readColr(Buffer.from('nclx\0'))).toThrow(Mp4FormatError);
  });
});

describe('exact bytes', () => {
  it.each([
    ['vmhd', writeVmhd(), '00000014766d6864000000010000000000000000'],
    ['smhd', writeSmhd(), '00000010736d68640000000000000000'],
    ['dinf', writeDinf(), '0000002464696e660000001c6472656600000000000000010000000c75726c2000000001'],
    ['mfhd', writeMfhd(7), '000000106d6668640000000000000007'],
    ['tfdt', writeTfdt(ticks(2 ** 33)), '0000001474666474010000000000000200000000'],
    [
      'mdhd',
      writeMdhd(timescale(48_000)),
      '000000206d6468640000000000000000000000000000bb800000000055c40000',
    ],
    [
      'trex',
      writeTrex({ trackId: 1, defaultDuration: 0, defaultSize: 0, defaultFlags: 0 }),
      '0000002074726578000000000000000100000001000000000000000000000000',
    ],
    [
      'hdlr',
      writeHdlr({ handler: 'vide', name: 'v' }),
      '0000002268646c720000000000000000766964650000000000000000000000007600',
    ],
    [
      'mvhd',
      writeMvhd({ timescale: 1000, nextTrackId: 2 }),
      `0000006c6d766864${'00'.repeat(12)}000003e8000000000001000001000000${'00'.repeat(8)}` +
        `00010000${'00'.repeat(12)}00010000${'00'.repeat(12)}40000000${'00'.repeat(24)}00000002`,
    ],
    [
      'stbl',
      writeStbl(new Uint8Array([0, 0, 0, 8, 0x61, 0x76, 0x63, 0x31])),
      '0000006473' +
        '74626c000000187374736400000000000000010000000861766331000000107374747300000000' +
        '00000000000000107374736300000000000000000000001473' +
        '74737a000000000000000000000000' +
        '000000107374636f0000000000000000',
    ],
  ])('%s', (_, bytes, expected) => {
    expect(hex(bytes)).toBe(expected);
  });

  it('states only what varies between the samples of a run', () => {
    const run = { dataOffset: 100, samples: [{ duration: 1, size: 2, flags: 3, compositionOffset: -4 }] };
    const sizesOnly = writeTrun(run, { durations: false, flags: false, compositionOffsets: false });
    expect(hex(sizesOnly)).toBe('000000187472756e01000201000000010000006400000002');
    const all = writeTrun(run, { durations: true, flags: true, compositionOffsets: true });
    expect(hex(all)).toBe('000000247472756e01000f010000000100000064000000010000000200000003fffffffc');
  });
});

describe('read(write(x)) is x', () => {
  it('ftyp', () => {
    const fields = fc.record({ majorBrand: CODE, minorVersion: U32, compatibleBrands: fc.array(CODE) });
    fc.assert(
      fc.property(fields, (x) => {
        expect(readFtyp(only(writeFtyp(x)).content)).toEqual(x);
      }),
    );
  });

  it('tkhd', () => {
    const side = fc.integer({ min: 0, max: 0xffff });
    const fields = fc.record({ trackId: U32, audio: fc.boolean(), width: side, height: side });
    fc.assert(
      fc.property(fields, (x) => {
        expect(readTkhd(only(writeTkhd(x)).content)).toEqual(x);
      }),
    );
  });

  it('mdhd', () => {
    const scale = fc.integer({ min: 1, max: MAX_TIMESCALE }).map(timescale);
    fc.assert(
      fc.property(scale, (x) => {
        expect(readMdhd(only(writeMdhd(x)).content)).toBe(x);
      }),
    );
  });

  it('hdlr', () => {
    const fields = fc.record({ handler: CODE, name: fc.stringMatching(/^[a-z]*$/) });
    fc.assert(
      fc.property(fields, (x) => {
        expect(readHdlr(only(writeHdlr(x)).content)).toBe(x.handler);
      }),
    );
  });

  it('stsd', () => {
    const entry = fc.tuple(CODE, fc.uint8Array()).map(([type, content]) => writeBox(type, content));
    fc.assert(
      fc.property(entry, (x) => {
        expect(hex(readStsd(only(writeStsd(x)).content).bytes)).toBe(hex(x));
      }),
    );
  });

  it('trex', () => {
    const fields = fc.record({ trackId: U32, defaultDuration: U32, defaultSize: U32, defaultFlags: U32 });
    fc.assert(
      fc.property(fields, (x) => {
        expect(readTrex(only(writeTrex(x)).content)).toEqual(x);
      }),
    );
  });

  it('mfhd and tfdt', () => {
    fc.assert(
      fc.property(U32, (x) => {
        expect(readMfhd(only(writeMfhd(x)).content)).toBe(x);
      }),
    );
    const time = fc.maxSafeNat().map(ticks);
    fc.assert(
      fc.property(time, (x) => {
        expect(readTfdt(only(writeTfdt(x)).content)).toBe(x);
      }),
    );
  });

  it('tfhd', () => {
    const optional = fc.option(U32, { nil: undefined });
    const fields = fc.record({
      trackId: U32,
      defaultDuration: optional,
      defaultSize: optional,
      defaultFlags: optional,
      defaultBaseIsMoof: fc.boolean(),
    });
    fc.assert(
      fc.property(fields, (x) => {
        expect(readTfhd(only(writeTfhd(x)).content)).toEqual(x);
      }),
    );
  });

  it('trun', () => {
    const sample = fc.record({ duration: U32, size: U32, flags: U32, compositionOffset: I32 });
    const run = fc.record({ dataOffset: fc.option(I32, { nil: undefined }), samples: fc.array(sample) });
    const fields = { durations: true, flags: true, compositionOffsets: true };
    fc.assert(
      fc.property(run, (x) => {
        expect(readTrun(only(writeTrun(x, fields)).content)).toEqual(x);
      }),
    );
  });
});

describe('bad bytes', () => {
  it.each([
    ['a timescale of 0', () => readMdhd(new Uint8Array(24)), 'MP4 mdhd: timescale 0'],
    [
      'a run that announces more samples than there are bytes',
      () => readTrun(Uint8Array.of(0, 0, 2, 0, 0, 0, 255, 255)),
      'MP4 trun: 65535 samples announced',
    ],
    [
      'a run of millions of samples without fields',
      () => readTrun(Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255)),
      'MP4 trun: 4294967295 samples',
    ],
    [
      'a box that is larger than its container',
      () => childBoxes('moov', Uint8Array.of(0, 0, 0, 9, 0x74, 0, 1, 2)),
      'MP4 moov: box "t???" of 9 bytes',
    ],
    [
      'data offsets from the start of the file',
      () => readTfhd(Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 1)),
      'default_base_moof',
    ],
    ['a sample description of no entry', () => readStsd(new Uint8Array(8)), 'one sample entry expected'],
    [
      'a decode time beyond 2^53',
      () => readTfdt(Uint8Array.of(1, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0)),
      'out of range',
    ],
    ['a truncated elementary stream descriptor', () => readEsds(Uint8Array.of(0, 0, 0, 0, 3)), 'MP4 esds'],
  ])('%s is named', (_, read, message) => {
    expect(read).toThrow(Mp4FormatError);
    expect(read).toThrow(message);
  });

  it('never make a reader throw anything but an Mp4FormatError', () => {
    const readers = [
      readEsds,
      readFtyp,
      readHdlr,
      readMdhd,
      readMfhd,
      readStsd,
      readTfdt,
      readTfhd,
      readTkhd,
      readTrex,
      readTrun,
    ];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(...readers), (bytes, read) => {
        try {
          read(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Mp4FormatError);
        }
      }),
    );
  });
});
