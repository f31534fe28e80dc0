/** AAC configuration: AudioSpecificConfig, ISO/IEC 14496-3 §1.6.2.1. */

import { fail, ok, type Result } from '../result.ts';
import { BitReader, BitReaderError } from './bit-reader.ts';

/** What an AudioSpecificConfig says. */
export interface AacParameters {
  /** MPEG-4 audio object type: 2 is AAC-LC, 5 SBR, 29 PS. */
  readonly objectType: number;
  readonly sampleRate: number;
  readonly channels: number;
  /** Samples of one frame per channel at that rate, `undefined` for object types of which it is not known here. */
  readonly frameSamples: number | undefined;
}

/** Why bytes are no AudioSpecificConfig. */
export type AacFailure = { readonly reason: 'malformed-aac'; readonly detail: string };

/** Samples of one AAC frame per channel. */
export const AAC_FRAME_SAMPLES = 1024;
/** The same where frameLengthFlag is set, §4.4.1. */
const SHORT_FRAME_SAMPLES = 960;

/** Sampling frequencies by index, ISO/IEC 14496-3 table 1.18. */
export const AAC_SAMPLE_RATES: readonly number[] = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];
const EXPLICIT_RATE = 15;
const AAC_LC = 2;
/** Spectral band replication and parametric stereo: around frames of AAC-LC, table 1.17. */
const EXTENSIONS: readonly number[] = [5, 29];
/** What an extension states at most before the frame length: index and rate, type, and the flag itself. */
const EXTENSION_BITS = 4 + 24 + 5 + 1;
/** Channels by channelConfiguration, table 1.19; 0 means that a program config element tells. */
const CHANNELS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 8];

/** Renders the RFC 6381 codec string: `mp4a.40.N`. */
export function aacCodecString(parameters: AacParameters): string {
  return `mp4a.40.${parameters.objectType}`;
}

/** Reads an AudioSpecificConfig. */
export function parseAudioSpecificConfig(bytes: Uint8Array): Result<AacParameters, AacFailure> {
  try {
    const reader = new BitReader(bytes);
    const short = reader.bits(5);
    const objectType = short === 31 ? 32 + reader.bits(6) : short;
    const index = reader.bits(4);
    const sampleRate = index === EXPLICIT_RATE ? reader.bits(24) : AAC_SAMPLE_RATES[index];
    const channels = CHANNELS[reader.bits(4)];
    if (objectType === 0 || sampleRate === undefined || sampleRate === 0 || channels === undefined) {
      return fail({ reason: 'malformed-aac', detail: 'reserved object type, rate or channel configuration' });
    }
    const frameSamples = readFrameSamples(reader, objectType);
    return ok({ objectType, sampleRate, channels: channels === 0 ? 2 : channels, frameSamples });
  } catch (error) {
    if (error instanceof BitReaderError) {
      return fail({ reason: 'malformed-aac', detail: error.message });
    }
    throw error;
  }
}

/** The frame length is the first bit of GASpecificConfig, behind the rate and type that an extension states. */
function readFrameSamples(reader: BitReader, objectType: number): number | undefined {
  const isExtended = EXTENSIONS.includes(objectType);
  if (reader.remaining < (isExtended ? EXTENSION_BITS : 1)) {
    return undefined;
  }
  if (isExtended) {
    reader.skip(reader.bits(4) === EXPLICIT_RATE ? 24 : 0);
  }
  const core = isExtended ? reader.bits(5) : objectType;
  if (core !== AAC_LC) {
    return undefined;
  }
  return reader.bit() === 1 ? SHORT_FRAME_SAMPLES : AAC_FRAME_SAMPLES;
}
