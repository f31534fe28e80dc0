/** Reads the body of a video tag, legacy (FLV 10.1 E.4.3.1) or Enhanced RTMP v2 (ExVideoTagHeader). */

import type { SourceVideo } from '../media-feed.ts';
import { joinBody, VIDEO_HEADER_BYTES, type CodecTag, type TrackTag } from './codec-tag.ts';
import { readEnhancedTag, type EnhancedPacket } from './enhanced-header.ts';

const LEGACY_AVC = 7;
const LEGACY_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'JPEG'],
  [2, 'Sorenson H.263'],
  [3, 'Screen Video'],
  [4, 'VP6'],
  [5, 'VP6 with alpha'],
  [6, 'Screen Video 2'],
  [12, 'HEVC without Enhanced RTMP (codec id 12)'],
]);
/** Codecs that are carried; `reordered` ones state a composition time with CodedFrames. */
const CARRIED = new Map([
  ['avc1', { codec: 'h264', reordered: true }],
  ['hvc1', { codec: 'hevc', reordered: true }],
  ['av01', { codec: 'av1', reordered: false }],
  ['vp09', { codec: 'vp9', reordered: false }],
] as const);
const FOURCC_NAMES: ReadonlyMap<string, string> = new Map([
  ['vp08', 'VP8 (vp08)'],
  ['vvc1', 'VVC (vvc1)'],
]);

const KEY_FRAME = 1;
const COMMAND_FRAME = 5;
const AVC_SEQUENCE_HEADER = 0;
const AVC_NALU = 1;

const EX_HEADER = 0x80;
const EX_SEQUENCE_START = 0;
const EX_CODED_FRAMES = 1;
const EX_CODED_FRAMES_X = 3;
const EX_MPEG2_TS_SEQUENCE_START = 5;
const PACKET_TYPES = { multitrack: 6, modEx: 7 };
const COMPOSITION_TIME_BYTES = 3;

/** Reads a video tag's body: one tag, or one for each track that it carries. */
export function readVideoTag(body: Uint8Array): readonly TrackTag[] {
  const first = body[0];
  if (first === undefined) {
    return [];
  }
  if ((first & EX_HEADER) === 0) {
    return [{ ...readLegacy(body, first), track: 0 }];
  }
  const frameType = (first >> 4) & 0b111;
  if (frameType === COMMAND_FRAME) {
    return [];
  }
  const packets = readEnhancedTag(body, PACKET_TYPES);
  return packets === undefined
    ? [{ kind: 'malformed', detail: 'an Enhanced RTMP video tag is cut short', track: 0 }]
    : packets.map((packet) => ({ ...readPacket(frameType, packet), track: packet.track }));
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
  if (body.length <= VIDEO_HEADER_BYTES) {
    return { kind: 'ignored' };
  }
  if (body[1] === AVC_SEQUENCE_HEADER) {
    return {
      kind: 'sequence-header',
      codec: 'h264',
      configuration: body.subarray(VIDEO_HEADER_BYTES),
      body,
    };
  }
  return body[1] === AVC_NALU
    ? { kind: 'frame', codec: 'h264', key: frameType === KEY_FRAME, body }
    : { kind: 'ignored' };
}

function readPacket(frameType: number, { packetType, fourCc, data }: EnhancedPacket): CodecTag {
  const carried = [...CARRIED].find(([name]) => name === fourCc)?.[1];
  if (carried === undefined) {
    return { kind: 'unsupported', codec: FOURCC_NAMES.get(fourCc) ?? 'video with an unknown FourCC' };
  }
  const { codec, reordered } = carried;
  const first = (frameType << 4) | LEGACY_AVC;
  const key = frameType === KEY_FRAME;
  switch (packetType) {
    case EX_SEQUENCE_START: {
      const body = joinBody([first, AVC_SEQUENCE_HEADER, 0, 0, 0], data);
      return { kind: 'sequence-header', codec, configuration: data, body };
    }
    case EX_CODED_FRAMES:
      if (reordered) {
        return data.length <= COMPOSITION_TIME_BYTES
          ? { kind: 'ignored' }
          : { kind: 'frame', codec, key, body: joinBody([first, AVC_NALU], data) };
      }
      return plainFrame(first, { codec, key, data });
    case EX_CODED_FRAMES_X:
      return plainFrame(first, { codec, key, data });
    case EX_MPEG2_TS_SEQUENCE_START:
      return { kind: 'unsupported', codec: `a sequence start in the form of MPEG-2 TS (${fourCc})` };
    default:
      return { kind: 'ignored' };
  }
}

function plainFrame(
  first: number,
  frame: { readonly codec: SourceVideo['codec']; readonly key: boolean; readonly data: Uint8Array },
): CodecTag {
  const { codec, key, data } = frame;
  return data.length === 0
    ? { kind: 'ignored' }
    : { kind: 'frame', codec, key, body: joinBody([first, AVC_NALU, 0, 0, 0], data) };
}
