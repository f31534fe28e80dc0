/** AV1 configuration: the av1C record and the sequence header it carries. */

import { fail, ok, type Result } from '../result.ts';
import { BitReader, BitReaderError } from './bit-reader.ts';

/** An AV1CodecConfigurationRecord, AV1 Codec ISO Media File Format Binding §2.3. */
export interface Av1Configuration {
  readonly profile: number;
  /** seq_level_idx_0. */
  readonly level: number;
  readonly highTier: boolean;
  readonly bitDepth: 8 | 10 | 12;
  /** configOBUs: the sequence header, where the writer put one there. */
  readonly units: Uint8Array;
}

/** What a sequence header says of the picture. */
export interface Av1Picture {
  readonly width: number;
  readonly height: number;
  /** Frames per second where it states an equal interval. */
  readonly frameRate: number | undefined;
}

/** Why bytes are no AV1 configuration. */
export type Av1Failure = { readonly reason: 'malformed-av1'; readonly detail: string };

const RECORD_BYTES = 4;
/** Marker bit and version 1. */
const MARKER_AND_VERSION = 0x81;
const SEQUENCE_HEADER = 1;
/** Open bitstream units looked through for the sequence header: it comes first, or behind a temporal delimiter. */
const MAX_UNITS = 8;
/** Bytes of the longest leb128, AV1 §4.10.5. */
const MAX_LEB128_BYTES = 8;
const MAX_UVLC_ZEROS = 32;
const TIERED_LEVEL = 7;

/** Renders the codec string, AV1 binding §5: `av01.0.04M.08`; what it leaves out has its default meaning. */
export function av1CodecString({ profile, level, highTier, bitDepth }: Av1Configuration): string {
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `av01.${profile}.${pad(level)}${highTier ? 'H' : 'M'}.${pad(bitDepth)}`;
}

/** Reads an AV1CodecConfigurationRecord. */
export function parseAv1Configuration(bytes: Uint8Array): Result<Av1Configuration, Av1Failure> {
  const [marker, levels = 0, flags = 0] = bytes;
  if (bytes.length < RECORD_BYTES || marker !== MARKER_AND_VERSION) {
    return malformed('not an AV1CodecConfigurationRecord of version 1');
  }
  const highBitDepth = (flags & 0x40) !== 0;
  const deep = (flags & 0x20) !== 0 ? 12 : 10;
  return ok({
    profile: levels >> 5,
    level: levels & 0x1f,
    highTier: (flags & 0x80) !== 0,
    bitDepth: highBitDepth ? deep : 8,
    units: bytes.subarray(RECORD_BYTES),
  });
}

/** Reads the sequence header among the first units of `bytes`, AV1 §5.3 and §5.5; fails where there is none. */
export function parseAv1SequenceHeader(bytes: Uint8Array): Result<Av1Picture, Av1Failure> {
  const header = findSequenceHeader(bytes);
  if (header === undefined) {
    return malformed('no sequence header');
  }
  try {
    return ok(readSequenceHeader(new BitReader(header)));
  } catch (error) {
    if (error instanceof BitReaderError) {
      return malformed(`sequence header: ${error.message}`);
    }
    throw error;
  }
}

function findSequenceHeader(bytes: Uint8Array): Uint8Array | undefined {
  let at = 0;
  for (let unit = 0; unit < MAX_UNITS && at < bytes.length; unit += 1) {
    const header = bytes[at] ?? 0;
    at += (header & 0b100) === 0 ? 1 : 2;
    const size = (header & 0b10) === 0 ? { value: bytes.length - at, bytes: 0 } : readLeb128(bytes, at);
    at += size.bytes;
    if (((header >> 3) & 0xf) === SEQUENCE_HEADER) {
      return bytes.subarray(at, at + size.value);
    }
    at += size.value;
  }
  return undefined;
}

function readLeb128(bytes: Uint8Array, at: number): { readonly value: number; readonly bytes: number } {
  let value = 0;
  for (let index = 0; index < MAX_LEB128_BYTES; index += 1) {
    const byte = bytes[at + index] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) {
      return { value, bytes: index + 1 };
    }
  }
  return { value: bytes.length, bytes: MAX_LEB128_BYTES };
}

function readSequenceHeader(reader: BitReader): Av1Picture {
  reader.skip(4);
  const reduced = reader.bit() === 1;
  let frameRate: number | undefined;
  if (reduced) {
    reader.skip(5);
  } else {
    frameRate = readOperatingPoints(reader);
  }
  const widthBits = reader.bits(4) + 1;
  const heightBits = reader.bits(4) + 1;
  return { width: reader.bits(widthBits) + 1, height: reader.bits(heightBits) + 1, frameRate };
}

/** Reads timing and operating points; returns the frame rate. */
function readOperatingPoints(reader: BitReader): number | undefined {
  const timing = reader.bit() === 1;
  const frameRate = timing ? readTiming(reader) : undefined;
  const delayBits = timing && reader.bit() === 1 ? readDecoderModel(reader) : undefined;
  const displayDelays = reader.bit() === 1;
  const points = reader.bits(5) + 1;
  for (let point = 0; point < points; point += 1) {
    reader.skip(12);
    reader.skip(reader.bits(5) > TIERED_LEVEL ? 1 : 0);
    if (delayBits !== undefined && reader.bit() === 1) {
      reader.skip(2 * delayBits + 1);
    }
    if (displayDelays && reader.bit() === 1) {
      reader.skip(4);
    }
  }
  return frameRate;
}

function readTiming(reader: BitReader): number | undefined {
  const unitsInTick = reader.bits(32);
  const timeScale = reader.bits(32);
  if (reader.bit() === 0) {
    return undefined;
  }
  const ticksPerPicture = readUvlc(reader) + 1;
  return unitsInTick > 0 && timeScale > 0 ? timeScale / (unitsInTick * ticksPerPicture) : undefined;
}

/** Bits of the delays that each operating point states. */
function readDecoderModel(reader: BitReader): number {
  const delayBits = reader.bits(5) + 1;
  reader.skip(32 + 5 + 5);
  return delayBits;
}

/** uvlc(), AV1 §4.10.3. */
function readUvlc(reader: BitReader): number {
  let zeros = 0;
  while (reader.bit() === 0) {
    zeros += 1;
  }
  return zeros >= MAX_UVLC_ZEROS ? 2 ** 32 - 1 : 2 ** zeros - 1 + reader.bits(zeros);
}

function malformed(detail: string): { readonly ok: false; readonly failure: Av1Failure } {
  return fail({ reason: 'malformed-av1', detail });
}
