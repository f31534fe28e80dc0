/** What the first bytes of a PES packet tell of its stream: H.264 parameter sets, AAC in ADTS. */

import { AAC_SAMPLE_RATES } from '#shared/codec/aac.ts';
import { readDisplayRotation, type Rotation } from '#shared/codec/display-orientation.ts';
import { NAL_SLICE_IDR, NAL_SPS } from '#shared/codec/h264.ts';
import type { SourceAudio } from '../media-feed.ts';

const PES_FIXED_BYTES = 9;
const FIRST_SLICE_TYPE = 1;
const NAL_SEI = 6;
const ADTS_HEADER_BYTES = 7;
/** Channels by channel_configuration, ISO/IEC 14496-3 table 1.19; 0 is told by the stream and taken as stereo. */
const ADTS_CHANNELS: readonly number[] = [2, 1, 2, 3, 4, 5, 6, 8];

/** What the beginning of a video access unit holds. */
export interface AccessUnitStart {
  /** Has an IDR slice or a sequence parameter set. */
  readonly keyFrame: boolean;
  /** The first sequence parameter set NAL unit, once it is whole. */
  readonly sequenceParameterSet: Uint8Array | undefined;
  /** What its messages ask for, as far as they are whole. */
  readonly rotation: Rotation | undefined;
  /** A slice has begun: no parameter set follows. */
  readonly sliceSeen: boolean;
}

/** Elementary stream bytes of the packet that starts a PES packet, ISO/IEC 13818-1 §2.4.3.6. */
export function pesPayload(payload: Uint8Array): Uint8Array {
  const isPes = payload[0] === 0 && payload[1] === 0 && payload[2] === 1;
  return isPes ? payload.subarray(PES_FIXED_BYTES + (payload[8] ?? 0)) : payload.subarray(payload.length);
}

/** Looks through the NAL units at the begin of an access unit, ISO/IEC 14496-10 annex B. */
export function inspectAccessUnit(bytes: Uint8Array): AccessUnitStart {
  let keyFrame = false;
  let sps: Uint8Array | undefined;
  let rotation: Rotation | undefined;
  let start = findStartCode(bytes, 0);
  while (start !== -1 && start + 3 < bytes.length) {
    const type = (bytes[start + 3] ?? 0) & 0x1f;
    const next = findStartCode(bytes, start + 3);
    keyFrame ||= type === NAL_SLICE_IDR || type === NAL_SPS;
    if (type >= FIRST_SLICE_TYPE && type <= NAL_SLICE_IDR) {
      return { keyFrame, sequenceParameterSet: sps, rotation, sliceSeen: true };
    }
    if (type === NAL_SPS && next !== -1) {
      sps ??= bytes.subarray(start + 3, next);
    }
    if (type === NAL_SEI && next !== -1) {
      rotation ??= readDisplayRotation(bytes.subarray(start + 4, next));
    }
    start = next;
  }
  return { keyFrame, sequenceParameterSet: sps, rotation, sliceSeen: false };
}

/** Reads the ADTS header at `at`, ISO/IEC 14496-3 §1.A.2.2, or `undefined` where there is none. */
export function parseAdts(bytes: Uint8Array, at: number): SourceAudio | undefined {
  const isSync = bytes[at] === 0xff && ((bytes[at + 1] ?? 0) & 0xf6) === 0xf0;
  if (!isSync || at + ADTS_HEADER_BYTES > bytes.length) {
    return undefined;
  }
  const third = bytes[at + 2] ?? 0;
  const fourth = bytes[at + 3] ?? 0;
  const frameBytes = ((fourth & 0b11) << 11) | ((bytes[at + 4] ?? 0) << 3) | ((bytes[at + 5] ?? 0) >> 5);
  const sampleRate = AAC_SAMPLE_RATES[(third >> 2) & 0xf];
  const channels = ADTS_CHANNELS[((third & 1) << 2) | (fourth >> 6)];
  if (sampleRate === undefined || channels === undefined || frameBytes < ADTS_HEADER_BYTES) {
    return undefined;
  }
  return { codec: 'aac', sampleRate, channels };
}

/** Finds the first ADTS header of a sender that does not align frames to PES packets. */
export function findAdts(bytes: Uint8Array): SourceAudio | undefined {
  for (let at = bytes.indexOf(0xff); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    const audio = parseAdts(bytes, at);
    if (audio !== undefined) {
      return audio;
    }
  }
  return undefined;
}

function findStartCode(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(1, from + 2); at !== -1; at = bytes.indexOf(1, at + 1)) {
    if (bytes[at - 1] === 0 && bytes[at - 2] === 0) {
      return at - 2;
    }
  }
  return -1;
}
