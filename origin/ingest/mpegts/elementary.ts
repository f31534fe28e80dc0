/** What the first bytes of a PES packet tell of its stream: H.264 and HEVC parameter sets, AAC in ADTS, Opus. */

import { AAC_SAMPLE_RATES } from '#shared/codec/aac.ts';
import { readDisplayRotation, type Rotation } from '#shared/codec/display-orientation.ts';
import { NAL_SLICE_IDR, NAL_SPS, parseSequenceParameterSet } from '#shared/codec/h264.ts';
import {
  HEVC_NAL_FIRST_IRAP,
  HEVC_NAL_LAST_IRAP,
  HEVC_NAL_LAST_SLICE,
  HEVC_NAL_SPS,
  parseHevcSequenceParameterSet,
} from '#shared/codec/hevc.ts';
import { OPUS_SAMPLE_RATE } from '#shared/codec/opus.ts';
import type { SourceAudio, SourceVideo } from '../media-feed.ts';
import type { StreamKind } from './stream-type.ts';

const PES_FIXED_BYTES = 9;
const FIRST_SLICE_TYPE = 1;
const NAL_SEI = 6;
const ADTS_HEADER_BYTES = 7;
/** Channels by channel_configuration, ISO/IEC 14496-3 table 1.19; 0 is told by the stream and taken as stereo. */
const ADTS_CHANNELS: readonly number[] = [2, 1, 2, 3, 4, 5, 6, 8];

/** Video codecs that MPEG-TS brings. */
export type TransportVideoCodec = Extract<StreamKind, { readonly kind: 'video' }>['codec'];

/** Video as its parameter set tells; another `profile` needs another decoder configuration. */
export interface ProbedVideo extends SourceVideo {
  readonly profile: number;
}

/** What a NAL unit's first byte says, by codec. */
interface NalUnits {
  readonly type: (firstByte: number) => number;
  readonly parameterSet: number;
  readonly isSlice: (type: number) => boolean;
  readonly isRandomAccess: (type: number) => boolean;
}

const NAL_UNITS: Readonly<Record<TransportVideoCodec, NalUnits>> = {
  h264: {
    type: (first) => first & 0x1f,
    parameterSet: NAL_SPS,
    isSlice: (type) => type >= FIRST_SLICE_TYPE && type <= NAL_SLICE_IDR,
    isRandomAccess: (type) => type === NAL_SLICE_IDR,
  },
  hevc: {
    type: (first) => (first & 0x7e) >> 1,
    parameterSet: HEVC_NAL_SPS,
    isSlice: (type) => type <= HEVC_NAL_LAST_SLICE,
    isRandomAccess: (type) => type >= HEVC_NAL_FIRST_IRAP && type <= HEVC_NAL_LAST_IRAP,
  },
};

/** What the beginning of a video access unit holds. */
export interface AccessUnitStart {
  /** Has a random access picture or a sequence parameter set. */
  readonly keyFrame: boolean;
  /** The first sequence parameter set NAL unit, once it is whole. */
  readonly sequenceParameterSet: Uint8Array | undefined;
  /** What messages of H.264 ask for, as far as they are whole. */
  readonly rotation: Rotation | undefined;
  /** A slice has begun: no parameter set follows. */
  readonly sliceSeen: boolean;
}

/** Elementary stream bytes of the packet that starts a PES packet, ISO/IEC 13818-1 §2.4.3.6. */
export function pesPayload(payload: Uint8Array): Uint8Array {
  const isPes = payload[0] === 0 && payload[1] === 0 && payload[2] === 1;
  return isPes ? payload.subarray(PES_FIXED_BYTES + (payload[8] ?? 0)) : payload.subarray(payload.length);
}

/** Looks through the NAL units at the begin of an access unit, ISO/IEC 14496-10 and 23008-2 annex B. */
export function inspectAccessUnit(codec: TransportVideoCodec, bytes: Uint8Array): AccessUnitStart {
  const units = NAL_UNITS[codec];
  let keyFrame = false;
  let sps: Uint8Array | undefined;
  let rotation: Rotation | undefined;
  let start = findStartCode(bytes, 0);
  while (start !== -1 && start + 3 < bytes.length) {
    const type = units.type(bytes[start + 3] ?? 0);
    const next = findStartCode(bytes, start + 3);
    keyFrame ||= units.isRandomAccess(type) || type === units.parameterSet;
    if (units.isSlice(type)) {
      return { keyFrame, sequenceParameterSet: sps, rotation, sliceSeen: true };
    }
    if (type === units.parameterSet && next !== -1) {
      sps ??= bytes.subarray(start + 3, next);
    }
    if (codec === 'h264' && type === NAL_SEI && next !== -1) {
      rotation ??= readDisplayRotation(bytes.subarray(start + 4, next));
    }
    start = next;
  }
  return { keyFrame, sequenceParameterSet: sps, rotation, sliceSeen: false };
}

/** Reads a sequence parameter set, or `undefined` where it is malformed. */
export function probeVideo(codec: TransportVideoCodec, parameterSet: Uint8Array): ProbedVideo | undefined {
  if (codec === 'hevc') {
    const read = parseHevcSequenceParameterSet(parameterSet);
    return read.ok ? { codec, ...pictureOf(read.value), frameRate: undefined } : undefined;
  }
  const read = parseSequenceParameterSet(parameterSet);
  if (!read.ok) {
    return undefined;
  }
  const { frameRate, interlaced } = read.value;
  return { codec, ...pictureOf(read.value), frameRate, ...(interlaced ? { interlaced } : {}) };
}

function pictureOf({ width, height, profile }: Omit<ProbedVideo, 'codec' | 'frameRate'>) {
  return { width, height, profile };
}

/** Finds audio in a PES packet: AAC anywhere where `anywhere`, as a sender need not align its frames. */
export function probeAudio(
  kind: Extract<StreamKind, { readonly kind: 'audio' }>,
  payload: Uint8Array,
  anywhere: boolean,
): SourceAudio | undefined {
  if (kind.codec === 'opus') {
    const isControlHeader = payload[0] === 0x7f && ((payload[1] ?? 0) & 0xe0) === 0xe0;
    return isControlHeader
      ? { codec: 'opus', sampleRate: OPUS_SAMPLE_RATE, channels: kind.channels }
      : undefined;
  }
  return anywhere ? findAdts(payload) : parseAdts(payload, 0);
}

/** Reads the ADTS header at `at`, ISO/IEC 14496-3 §1.A.2.2, or `undefined` where there is none. */
function parseAdts(bytes: Uint8Array, at: number): SourceAudio | undefined {
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
function findAdts(bytes: Uint8Array): SourceAudio | undefined {
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
