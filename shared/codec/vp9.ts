/** VP9 configuration: the vpcC record, and the picture size that only key frames state. */

import { fail, ok, type Result } from '../result.ts';
import { BitReader, BitReaderError } from './bit-reader.ts';

/** A VPCodecConfigurationRecord, VP Codec ISO Media File Format Binding. */
export interface Vp9Configuration {
  readonly profile: number;
  /** Ten times the level; 0 where the writer did not say. */
  readonly level: number;
  readonly bitDepth: number;
  readonly chromaSubsampling: number;
  readonly fullRange: boolean;
  /** ISO/IEC 23001-8 code points. */
  readonly colourPrimaries: number;
  readonly transferCharacteristics: number;
  readonly matrixCoefficients: number;
}

/** Why bytes are no VP9 configuration or key frame. */
export type Vp9Failure = { readonly reason: 'malformed-vp9'; readonly detail: string };

const RECORD_BYTES = 8;
/** Version 1 and flags 0 of the full box, which some writers put before the record. */
const FULL_BOX_BYTES = 4;
const MAX_PROFILE = 3;
const BIT_DEPTHS: readonly number[] = [8, 10, 12];
/** BT.709, and "unspecified", which decoders take for it. */
const DEFAULT_COLOURS: readonly number[] = [1, 2];
const FRAME_MARKER = 2;
const SYNC_CODE = 0x49_83_42;
const SRGB = 7;

/** Renders the codec string: `vp09.00.31.08`, with all fields where the colours are not those of BT.709. */
export function vp9CodecString(configuration: Vp9Configuration): string {
  const { profile, level, bitDepth, chromaSubsampling, fullRange } = configuration;
  const { colourPrimaries, transferCharacteristics, matrixCoefficients } = configuration;
  const colours = [colourPrimaries, transferCharacteristics, matrixCoefficients];
  const usual = chromaSubsampling <= 1 && !fullRange && colours.every((one) => DEFAULT_COLOURS.includes(one));
  const more = usual ? [] : [chromaSubsampling, ...colours, fullRange ? 1 : 0];
  return `vp09.${[profile, level, bitDepth, ...more].map((value) => String(value).padStart(2, '0')).join('.')}`;
}

/** Reads a VPCodecConfigurationRecord, with or without the version and flags of its box. */
export function parseVp9Configuration(bytes: Uint8Array): Result<Vp9Configuration, Vp9Failure> {
  const boxed = bytes.length >= FULL_BOX_BYTES + RECORD_BYTES && bytes[0] === 1 && bytes[2] === 0;
  const [profile = 0, level = 0, third = 0, ...colours] = bytes.subarray(boxed ? FULL_BOX_BYTES : 0);
  const bitDepth = third >> 4;
  if (colours.length < RECORD_BYTES - 3 || profile > MAX_PROFILE || !BIT_DEPTHS.includes(bitDepth)) {
    return malformed('not a VPCodecConfigurationRecord');
  }
  const [colourPrimaries = 0, transferCharacteristics = 0, matrixCoefficients = 0] = colours;
  return ok({
    ...{ profile, level, bitDepth, colourPrimaries, transferCharacteristics, matrixCoefficients },
    chromaSubsampling: (third >> 1) & 0b111,
    fullRange: (third & 1) === 1,
  });
}

/** Reads the picture size of a key frame, VP9 bitstream §6.2. */
export function parseVp9KeyFrame(
  frame: Uint8Array,
): Result<{ readonly width: number; readonly height: number }, Vp9Failure> {
  try {
    return readKeyFrame(new BitReader(frame));
  } catch (error) {
    if (error instanceof BitReaderError) {
      return malformed(`frame header: ${error.message}`);
    }
    throw error;
  }
}

function readKeyFrame(
  reader: BitReader,
): Result<{ readonly width: number; readonly height: number }, Vp9Failure> {
  const marker = reader.bits(2);
  const profile = reader.bit() + 2 * reader.bit();
  reader.skip(profile === MAX_PROFILE ? 1 : 0);
  const shown = reader.bit();
  const notKey = reader.bit();
  reader.skip(2);
  if (marker !== FRAME_MARKER || shown === 1 || notKey === 1 || reader.bits(24) !== SYNC_CODE) {
    return malformed('not a key frame');
  }
  reader.skip(profile >= 2 ? 1 : 0);
  const oddProfile = profile % 2 === 1;
  if (reader.bits(3) === SRGB) {
    reader.skip(oddProfile ? 1 : 0);
  } else {
    reader.skip(oddProfile ? 4 : 1);
  }
  return ok({ width: reader.bits(16) + 1, height: reader.bits(16) + 1 });
}

function malformed(detail: string): { readonly ok: false; readonly failure: Vp9Failure } {
  return fail({ reason: 'malformed-vp9', detail });
}
