/** Reads the body of a video tag, legacy (FLV 10.1 E.4.3.1) or Enhanced RTMP v2 (ExVideoTagHeader). */

import { skipModEx } from './enhanced-header.ts';
import type { CodecTag } from './codec-tag.ts';

const LEGACY_AVC = 7;
const LEGACY_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'JPEG'],
  [2, 'Sorenson H.263'],
  [3, 'Screen Video'],
  [4, 'VP6'],
  [5, 'VP6 with alpha'],
  [6, 'Screen Video 2'],
  [12, 'HEVC (codec id 12)'],
]);
const FOURCC_NAMES: ReadonlyMap<string, string> = new Map([
  ['hvc1', 'HEVC (hvc1)'],
  ['av01', 'AV1 (av01)'],
  ['vp09', 'VP9 (vp09)'],
  ['vp08', 'VP8 (vp08)'],
  ['vvc1', 'VVC (vvc1)'],
]);

const KEY_FRAME = 1;
const COMMAND_FRAME = 5;
const AVC_SEQUENCE_HEADER = 0;
const AVC_NALU = 1;
/** FrameType and CodecID, AVCPacketType, CompositionTime. */
const AVC_HEADER_BYTES = 5;

const EX_HEADER = 0x80;
const EX_SEQUENCE_START = 0;
const EX_CODED_FRAMES = 1;
const EX_CODED_FRAMES_X = 3;
const EX_MULTITRACK = 6;
const EX_MOD_EX = 7;
const FOURCC_BYTES = 4;

/**
 * Reads a video tag's body. H.264 under the enhanced header comes back as the legacy body that means the same,
 * so that whatever follows sees one form.
 */
export function readVideoTag(body: Uint8Array): CodecTag {
  const first = body[0];
  if (first === undefined) {
    return { kind: 'ignored' };
  }
  return (first & EX_HEADER) === 0 ? readLegacy(body, first) : readEnhanced(body, first);
}

function readLegacy(body: Uint8Array, first: number): CodecTag {
  const frameType = first >> 4;
  const codec = first & 0x0f;
  if (frameType === COMMAND_FRAME) {
    return { kind: 'ignored' };
  }
  if (codec !== LEGACY_AVC) {
    return { kind: 'unsupported', codec: LEGACY_NAMES.get(codec) ?? `video codec id ${codec}` };
  }
  if (body.length <= AVC_HEADER_BYTES) {
    return { kind: 'ignored' };
  }
  if (body[1] === AVC_SEQUENCE_HEADER) {
    return { kind: 'sequence-header', configuration: body.subarray(AVC_HEADER_BYTES), body };
  }
  return body[1] === AVC_NALU ? { kind: 'frame', key: frameType === KEY_FRAME, body } : { kind: 'ignored' };
}

function readEnhanced(body: Uint8Array, first: number): CodecTag {
  const frameType = (first >> 4) & 0b111;
  const header = skipModEx(body, { packetType: first & 0x0f, modEx: EX_MOD_EX });
  if (header === undefined || frameType === COMMAND_FRAME) {
    return { kind: 'ignored' };
  }
  if (header.packetType === EX_MULTITRACK) {
    return { kind: 'unsupported', codec: 'Enhanced RTMP multitrack video' };
  }
  const fourCc = String.fromCodePoint(...body.subarray(header.at, header.at + FOURCC_BYTES));
  if (fourCc !== 'avc1') {
    return { kind: 'unsupported', codec: FOURCC_NAMES.get(fourCc) ?? 'an unknown video FourCC' };
  }
  return legacyFromEnhanced(frameType, header.packetType, body.subarray(header.at + FOURCC_BYTES));
}

function legacyFromEnhanced(frameType: number, packetType: number, data: Uint8Array): CodecTag {
  const codec = (frameType << 4) | LEGACY_AVC;
  switch (packetType) {
    case EX_SEQUENCE_START:
      return readLegacy(join([codec, AVC_SEQUENCE_HEADER, 0, 0, 0], data), codec);
    case EX_CODED_FRAMES:
      return readLegacy(join([codec, AVC_NALU], data), codec);
    case EX_CODED_FRAMES_X:
      return readLegacy(join([codec, AVC_NALU, 0, 0, 0], data), codec);
    default:
      return { kind: 'ignored' };
  }
}

function join(header: readonly number[], data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(header.length + data.length);
  bytes.set(header);
  bytes.set(data, header.length);
  return bytes;
}
