/** HEVC parameter sets: what a stream is, read from its sequence parameter set and hvcC record. */

import { fail, ok, type Result } from '../result.ts';
import { BitReader, BitReaderError } from './bit-reader.ts';
import { removeEmulationPrevention } from './nal-unit.ts';

/** The general part of profile_tier_level(), ISO/IEC 23008-2 §7.3.3. */
export interface HevcProfile {
  /** 0 to 3. */
  readonly space: number;
  readonly highTier: boolean;
  readonly profile: number;
  /** general_profile_compatibility_flag[0] in the highest of 32 bits. */
  readonly compatibility: number;
  /** The six bytes from general_progressive_source_flag on. */
  readonly constraints: Uint8Array;
  /** Thirty times the level. */
  readonly level: number;
}

/** What a sequence parameter set says. */
export interface HevcParameters extends HevcProfile {
  /** Luma samples after the conformance window. */
  readonly width: number;
  readonly height: number;
}

/** A HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 §8.3.3.1. */
export interface HevcConfiguration extends HevcProfile {
  /** Bytes of the length that precedes each NAL unit: 1, 2 or 4. */
  readonly nalLengthSize: number;
  readonly sequenceParameterSets: readonly Uint8Array[];
}

/** Why bytes are no HEVC configuration. */
export type HevcFailure = { readonly reason: 'malformed-hevc'; readonly detail: string };

/** NAL unit types, ISO/IEC 23008-2 table 7-1: intra random access points are 16 to 23, coded slices 0 to 31. */
export const HEVC_NAL_FIRST_IRAP = 16;
export const HEVC_NAL_LAST_IRAP = 23;
export const HEVC_NAL_LAST_SLICE = 31;
export const HEVC_NAL_SPS = 33;

const RECORD_BYTES = 23;
const NAL_HEADER_BYTES = 2;
const CONSTRAINT_BYTES = 6;
const MAX_PICTURE_SIDE = 16_384;
/** Bits of a sub-layer's profile and of its level, §7.3.3. */
const SUB_LAYER_PROFILE_BITS = 88;
const SUB_LAYER_LEVEL_BITS = 8;

/** Renders the RFC 6381 codec string, ISO/IEC 14496-15 §E.3: `hvc1.1.6.L93.B0`. */
export function hevcCodecString(profile: HevcProfile): string {
  const space = ['', 'A', 'B', 'C'][profile.space] ?? '';
  const last = profile.constraints.findLastIndex((byte) => byte !== 0);
  return [
    'hvc1',
    `${space}${profile.profile}`,
    reverseBits(profile.compatibility).toString(16).toUpperCase(),
    `${profile.highTier ? 'H' : 'L'}${profile.level}`,
    ...Array.from(profile.constraints.subarray(0, last + 1), (byte) => byte.toString(16).toUpperCase()),
  ].join('.');
}

/** Reads a HEVCDecoderConfigurationRecord, which has to hold a sequence parameter set as `hvc1` demands. */
export function parseHevcConfiguration(bytes: Uint8Array): Result<HevcConfiguration, HevcFailure> {
  if (bytes.length < RECORD_BYTES || bytes[0] !== 1) {
    return malformed('not a HEVCDecoderConfigurationRecord of version 1');
  }
  const nalLengthSize = ((bytes[21] ?? 0) & 0b11) + 1;
  if (nalLengthSize === 3) {
    return malformed('NAL length size 3');
  }
  const sequenceParameterSets = findParameterSets(bytes);
  if (sequenceParameterSets === undefined) {
    return malformed('truncated parameter sets');
  }
  if (sequenceParameterSets.length === 0) {
    return malformed('no sequence parameter set');
  }
  return ok({ ...readProfile(new BitReader(bytes.subarray(1))), nalLengthSize, sequenceParameterSets });
}

/** Reads a sequence parameter set NAL unit (header included), ISO/IEC 23008-2 §7.3.2.2.1. */
export function parseHevcSequenceParameterSet(nal: Uint8Array): Result<HevcParameters, HevcFailure> {
  if (((nal[0] ?? 0) & 0x7e) >> 1 !== HEVC_NAL_SPS) {
    return malformed('not a sequence parameter set');
  }
  try {
    return readSequenceParameterSet(removeEmulationPrevention(nal.subarray(NAL_HEADER_BYTES)));
  } catch (error) {
    if (error instanceof BitReaderError) {
      return malformed(`sequence parameter set: ${error.message}`);
    }
    throw error;
  }
}

function readSequenceParameterSet(rbsp: Uint8Array): Result<HevcParameters, HevcFailure> {
  const reader = new BitReader(rbsp);
  reader.skip(4);
  const subLayers = reader.bits(3);
  reader.skip(1);
  const profile = readProfile(reader);
  skipSubLayers(reader, subLayers);
  reader.unsignedExpGolomb();
  const chromaFormat = reader.unsignedExpGolomb();
  if (chromaFormat === 3) {
    reader.skip(1);
  }
  const codedWidth = reader.unsignedExpGolomb();
  const codedHeight = reader.unsignedExpGolomb();
  const window = readConformanceWindow(reader);
  const width = codedWidth - window.x * (chromaFormat === 1 || chromaFormat === 2 ? 2 : 1);
  const height = codedHeight - window.y * (chromaFormat === 1 ? 2 : 1);
  if (width < 1 || height < 1 || width > MAX_PICTURE_SIDE || height > MAX_PICTURE_SIDE) {
    return malformed(`picture of ${width}x${height}`);
  }
  return ok({ ...profile, width, height });
}

function readProfile(reader: BitReader): HevcProfile {
  return {
    space: reader.bits(2),
    highTier: reader.bit() === 1,
    profile: reader.bits(5),
    compatibility: reader.bits(32),
    constraints: Uint8Array.from({ length: CONSTRAINT_BYTES }, () => reader.bits(8)),
    level: reader.bits(8),
  };
}

function skipSubLayers(reader: BitReader, subLayers: number): void {
  const present = Array.from({ length: subLayers }, () => ({ profile: reader.bit(), level: reader.bit() }));
  if (subLayers > 0) {
    reader.skip((8 - subLayers) * 2);
  }
  for (const layer of present) {
    reader.skip(layer.profile * SUB_LAYER_PROFILE_BITS + layer.level * SUB_LAYER_LEVEL_BITS);
  }
}

function readConformanceWindow(reader: BitReader): { readonly x: number; readonly y: number } {
  if (reader.bit() === 0) {
    return { x: 0, y: 0 };
  }
  const x = reader.unsignedExpGolomb() + reader.unsignedExpGolomb();
  return { x, y: reader.unsignedExpGolomb() + reader.unsignedExpGolomb() };
}

/** The sequence parameter sets among a record's arrays, or `undefined` where the arrays are cut short. */
function findParameterSets(record: Uint8Array): readonly Uint8Array[] | undefined {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const found: Uint8Array[] = [];
  let at = RECORD_BYTES;
  for (let array = 0; array < (record[RECORD_BYTES - 1] ?? 0); array += 1) {
    if (at + 3 > record.length) {
      return undefined;
    }
    const type = view.getUint8(at) & 0x3f;
    const count = view.getUint16(at + 1);
    at += 3;
    for (let index = 0; index < count; index += 1) {
      const end = at + 2 + (at + 2 > record.length ? 0 : view.getUint16(at));
      if (end > record.length) {
        return undefined;
      }
      if (type === HEVC_NAL_SPS) {
        found.push(record.subarray(at + 2, end));
      }
      at = end;
    }
  }
  return found;
}

function reverseBits(value: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit += 1) {
    reversed = reversed * 2 + ((value >>> bit) & 1);
  }
  return reversed;
}

function malformed(detail: string): { readonly ok: false; readonly failure: HevcFailure } {
  return fail({ reason: 'malformed-hevc', detail });
}
