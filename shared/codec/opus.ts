/** Opus configuration: the identification header, and how long a packet lasts. */

import { fail, ok, type Result } from '../result.ts';

/** What an identification header says. */
export interface OpusParameters {
  readonly channels: number;
  /** Always 48 kHz: what it decodes to. */
  readonly sampleRate: number;
}

/** Why bytes are no Opus configuration. */
export type OpusFailure = { readonly reason: 'malformed-opus'; readonly detail: string };

/** The codec string; Opus has no parameters. */
export const OPUS_CODEC_STRING = 'opus';
/** Opus always decodes to this rate. */
export const OPUS_SAMPLE_RATE = 48_000;

const HEADER_BYTES = 19;
const MAGIC = 'OpusHead';
/** Milliseconds of a frame by the lower bits of `config`, RFC 6716 table 2: SILK, hybrid, CELT. */
const SILK_MS: readonly number[] = [10, 20, 40, 60];
const HYBRID_MS: readonly number[] = [10, 20];
const CELT_MS: readonly number[] = [2.5, 5, 10, 20];
const FIRST_HYBRID = 12;
const FIRST_CELT = 16;

/** Reads the identification header, RFC 7845 §5.1. */
export function parseOpusHead(bytes: Uint8Array): Result<OpusParameters, OpusFailure> {
  const channels = bytes[9] ?? 0;
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (bytes.length < HEADER_BYTES || magic !== MAGIC || (bytes[8] ?? 0) > 15 || channels === 0) {
    return fail({ reason: 'malformed-opus', detail: 'not an "OpusHead" identification header' });
  }
  return ok({ channels, sampleRate: OPUS_SAMPLE_RATE });
}

/** Milliseconds that a packet lasts, RFC 6716 §3.1 and §3.2; 0 for an empty one. */
export function opusPacketMilliseconds(packet: Uint8Array): number {
  const toc = packet[0];
  if (toc === undefined) {
    return 0;
  }
  const frames = [1, 2, 2, (packet[1] ?? 0) & 0x3f][toc & 0b11] ?? 0;
  return frames * frameMilliseconds(toc >> 3);
}

function frameMilliseconds(config: number): number {
  if (config >= FIRST_CELT) {
    return CELT_MS[config & 0b11] ?? 0;
  }
  return (config >= FIRST_HYBRID ? HYBRID_MS[config & 1] : SILK_MS[config & 0b11]) ?? 0;
}
