/** H.264 parameter sets: what a stream is, read from its sequence parameter set and avcC record. */

import { fail, ok, type Result } from '../result.ts';
import { BitReader, BitReaderError } from './bit-reader.ts';
import { removeEmulationPrevention } from './nal-unit.ts';

/** What a sequence parameter set says. */
export interface H264Parameters {
  readonly profile: number;
  readonly constraints: number;
  readonly level: number;
  /** Luma samples after cropping. */
  readonly width: number;
  readonly height: number;
  /** Frames per second from VUI timing, `undefined` where absent. */
  readonly frameRate: number | undefined;
  /** Pictures may be coded as fields, or as frames of two fields. */
  readonly interlaced: boolean;
  /** Width and height of a pixel's shape from VUI, `undefined` where absent or square. */
  readonly pixelShape: { readonly width: number; readonly height: number } | undefined;
  /** Colours from VUI, `undefined` where it does not describe them. */
  readonly colours: H264Colours | undefined;
}

/** How colours are coded: code points of ISO/IEC 23091-2 §8. */
export interface H264Colours {
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
  readonly fullRange: boolean;
}

/** An AVCDecoderConfigurationRecord, ISO/IEC 14496-15 §5.3.3.1. */
export interface AvcConfiguration {
  /** Bytes of the length that precedes each NAL unit: 1, 2 or 4. */
  readonly nalLengthSize: number;
  readonly sequenceParameterSets: readonly Uint8Array[];
  readonly pictureParameterSets: readonly Uint8Array[];
}

/** Why bytes are no H.264 configuration. */
export type H264Failure = { readonly reason: 'malformed-h264'; readonly detail: string };

/** NAL unit types, ISO/IEC 14496-10 table 7-1. */
export const NAL_SLICE_IDR = 5;
export const NAL_SPS = 7;

const CHROMA_PROFILES: ReadonlySet<number> = new Set([
  100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135,
]);
const MAX_PICTURE_SIDE = 16_384;
const EXTENDED_SAR = 255;
/** Shapes of pixels by aspect_ratio_idc, ISO/IEC 14496-10 table E-1. */
const PIXEL_SHAPES: ReadonlyArray<readonly [width: number, height: number] | undefined> = [
  undefined,
  undefined,
  [12, 11],
  [10, 11],
  [16, 11],
  [40, 33],
  [24, 11],
  [20, 11],
  [32, 11],
  [80, 33],
  [18, 11],
  [15, 11],
  [64, 33],
  [160, 99],
  [4, 3],
  [3, 2],
  [2, 1],
];

/** Renders the RFC 6381 codec string, ISO/IEC 14496-15 annex E: `avc1.PPCCLL`. */
export function h264CodecString(parameters: H264Parameters): string {
  const hex = [parameters.profile, parameters.constraints, parameters.level]
    .map((value) => value.toString(16).padStart(2, '0'))
    .join('');
  return `avc1.${hex.toUpperCase()}`;
}

/** Reads an AVCDecoderConfigurationRecord. */
export function parseAvcConfiguration(bytes: Uint8Array): Result<AvcConfiguration, H264Failure> {
  if (bytes.length < 7 || bytes[0] !== 1) {
    return malformed('not an AVCDecoderConfigurationRecord of version 1');
  }
  const nalLengthSize = ((bytes[4] ?? 0) & 0b11) + 1;
  if (nalLengthSize === 3) {
    return malformed('NAL length size 3');
  }
  const sps = parseParameterSets(bytes, 6, (bytes[5] ?? 0) & 0b1_1111);
  if (sps === undefined || sps.sets.length === 0) {
    return malformed('no whole sequence parameter set');
  }
  const pps = parseParameterSets(bytes, sps.end + 1, bytes[sps.end] ?? 0);
  if (pps === undefined) {
    return malformed('truncated picture parameter sets');
  }
  return ok({ nalLengthSize, sequenceParameterSets: sps.sets, pictureParameterSets: pps.sets });
}

/** Reads a sequence parameter set NAL unit (header byte included), ISO/IEC 14496-10 §7.3.2.1.1 and annex E. */
export function parseSequenceParameterSet(nal: Uint8Array): Result<H264Parameters, H264Failure> {
  if (nal.length < 4 || ((nal[0] ?? 0) & 0x1f) !== NAL_SPS) {
    return malformed('not a sequence parameter set');
  }
  try {
    return readSequenceParameterSet(removeEmulationPrevention(nal.subarray(1)));
  } catch (error) {
    if (error instanceof BitReaderError) {
      return malformed(`sequence parameter set: ${error.message}`);
    }
    throw error;
  }
}

function readSequenceParameterSet(rbsp: Uint8Array): Result<H264Parameters, H264Failure> {
  const reader = new BitReader(rbsp);
  const profile = reader.bits(8);
  const constraints = reader.bits(8);
  const level = reader.bits(8);
  reader.unsignedExpGolomb();
  let chromaFormat = 1;
  if (CHROMA_PROFILES.has(profile)) {
    chromaFormat = reader.unsignedExpGolomb();
    skipChromaProfileFields(reader, chromaFormat);
  }
  reader.unsignedExpGolomb();
  skipPictureOrderCount(reader);
  reader.unsignedExpGolomb();
  reader.skip(1);
  const widthInMacroblocks = reader.unsignedExpGolomb() + 1;
  const heightInMapUnits = reader.unsignedExpGolomb() + 1;
  const framesOnly = reader.bit();
  if (framesOnly === 0) {
    reader.skip(1);
  }
  reader.skip(1);
  const crop = readCropping(reader, chromaFormat, framesOnly);
  const width = widthInMacroblocks * 16 - crop.x;
  const height = heightInMapUnits * 16 * (2 - framesOnly) - crop.y;
  if (width < 1 || height < 1 || width > MAX_PICTURE_SIDE || height > MAX_PICTURE_SIDE) {
    return malformed(`picture of ${width}x${height}`);
  }
  const interlaced = framesOnly === 0;
  return ok({ profile, constraints, level, width, height, interlaced, ...readUsability(reader) });
}

function skipChromaProfileFields(reader: BitReader, chromaFormat: number): void {
  if (chromaFormat === 3) {
    reader.skip(1);
  }
  reader.unsignedExpGolomb();
  reader.unsignedExpGolomb();
  reader.skip(1);
  if (reader.bit() === 0) {
    return;
  }
  const lists = chromaFormat === 3 ? 12 : 8;
  for (let list = 0; list < lists; list += 1) {
    if (reader.bit() === 1) {
      skipScalingList(reader, list < 6 ? 16 : 64);
    }
  }
}

function skipScalingList(reader: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let index = 0; index < size; index += 1) {
    if (next !== 0) {
      next = (last + reader.signedExpGolomb() + 256) % 256;
    }
    last = next === 0 ? last : next;
  }
}

function skipPictureOrderCount(reader: BitReader): void {
  const type = reader.unsignedExpGolomb();
  if (type === 0) {
    reader.unsignedExpGolomb();
  } else if (type === 1) {
    reader.skip(1);
    reader.signedExpGolomb();
    reader.signedExpGolomb();
    const cycle = reader.unsignedExpGolomb();
    for (let index = 0; index < Math.min(cycle, 255); index += 1) {
      reader.signedExpGolomb();
    }
  }
}

function readCropping(reader: BitReader, chromaFormat: number, framesOnly: number): { x: number; y: number } {
  if (reader.bit() === 0) {
    return { x: 0, y: 0 };
  }
  const left = reader.unsignedExpGolomb();
  const right = reader.unsignedExpGolomb();
  const top = reader.unsignedExpGolomb();
  const bottom = reader.unsignedExpGolomb();
  const unitX = chromaFormat === 1 || chromaFormat === 2 ? 2 : 1;
  const unitY = (chromaFormat === 1 ? 2 : 1) * (2 - framesOnly);
  return { x: (left + right) * unitX, y: (top + bottom) * unitY };
}

/** Reads the usability information (VUI) as far as the frame rate, annex E.1.1. */
function readUsability(reader: BitReader): Pick<H264Parameters, 'pixelShape' | 'colours' | 'frameRate'> {
  if (reader.remaining < 1 || reader.bit() === 0) {
    return { pixelShape: undefined, colours: undefined, frameRate: undefined };
  }
  const pixelShape = readPixelShape(reader);
  if (reader.bit() === 1) {
    reader.skip(1);
  }
  const colours = readColours(reader);
  if (reader.bit() === 1) {
    reader.unsignedExpGolomb();
    reader.unsignedExpGolomb();
  }
  return { pixelShape, colours, frameRate: readFrameRate(reader) };
}

function readPixelShape(reader: BitReader): H264Parameters['pixelShape'] {
  if (reader.bit() === 0) {
    return undefined;
  }
  const index = reader.bits(8);
  const [width, height] =
    index === EXTENDED_SAR ? [reader.bits(16), reader.bits(16)] : (PIXEL_SHAPES[index] ?? [1, 1]);
  return width === height || width === 0 || height === 0 ? undefined : { width, height };
}

function readColours(reader: BitReader): H264Colours | undefined {
  if (reader.bit() === 0) {
    return undefined;
  }
  reader.skip(3);
  const fullRange = reader.bit() === 1;
  if (reader.bit() === 0) {
    return undefined;
  }
  return { primaries: reader.bits(8), transfer: reader.bits(8), matrix: reader.bits(8), fullRange };
}

function readFrameRate(reader: BitReader): number | undefined {
  if (reader.bit() === 0) {
    return undefined;
  }
  const unitsInTick = reader.bits(32);
  const timeScale = reader.bits(32);
  return unitsInTick > 0 && timeScale > 0 ? timeScale / (2 * unitsInTick) : undefined;
}

function parseParameterSets(
  bytes: Uint8Array,
  start: number,
  count: number,
): { readonly sets: readonly Uint8Array[]; readonly end: number } | undefined {
  const sets: Uint8Array[] = [];
  let at = start;
  for (let index = 0; index < count; index += 1) {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    if (at + 2 + length > bytes.length || length === 0) {
      return undefined;
    }
    sets.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return { sets, end: at };
}

function malformed(detail: string): { readonly ok: false; readonly failure: H264Failure } {
  return fail({ reason: 'malformed-h264', detail });
}
