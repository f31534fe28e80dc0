/**
 * Writes live Matroska (RFC 9559) for ffmpeg, for sources whose codecs FLV has no number for.
 *
 * Why Matroska: ffmpeg reads Enhanced RTMP's tags only from 6.1 on (audio from 8.0), and this has to work from
 * 5.1 on. MPEG-TS has no AV1 and no VP9 there and loses the configuration that `copy` needs. Fragmented MP4 would
 * keep the decode times, but ffmpeg's demuxer remembers every fragment for ever, some 200 bytes a frame, and a
 * stream may last for weeks. Matroska carries every codec with its configuration record and is forgotten frame by
 * frame. It has presentation times only: for HEVC with B-frames ffmpeg works out the decode times from the
 * parameter sets' reordering depth, and needs the frame duration for the first of them.
 *
 * H.264 with AAC stays in FLV, which has both times.
 */

import { opusPacketMilliseconds } from '#shared/codec/opus.ts';
import type { SourceAudio, SourceProperties, SourceVideo } from '../media-feed.ts';
import { ebmlElement, ebmlFloat, ebmlText, ebmlUnsigned } from './ebml.ts';

/** Element ids, RFC 9559 §5.1 and RFC 8794 §11.2. */
const ID = {
  ebml: 0x1a45_dfa3,
  docType: 0x4282,
  docTypeVersion: 0x4287,
  docTypeReadVersion: 0x4285,
  segment: 0x1853_8067,
  info: 0x1549_a966,
  timestampScale: 0x2a_d7b1,
  muxingApp: 0x4d80,
  writingApp: 0x5741,
  tracks: 0x1654_ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackUid: 0x73c5,
  trackType: 0x83,
  flagLacing: 0x9c,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  defaultDuration: 0x23_e383,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  audio: 0xe1,
  samplingFrequency: 0xb5,
  channels: 0x9f,
  cluster: 0x1f43_b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  blockDuration: 0x9b,
};
const VIDEO_CODECS = { h264: 'V_MPEG4/ISO/AVC', hevc: 'V_MPEGH/ISO/HEVC', av1: 'V_AV1', vp9: 'V_VP9' };
const AUDIO_CODECS = { aac: 'A_AAC', opus: 'A_OPUS' };
const TRACK = { video: { number: 1, type: 1 }, audio: { number: 2, type: 2 } };
/** Timestamps are milliseconds, as RTMP's are; nanoseconds. */
const TIMESTAMP_SCALE = 1_000_000;
const NANOSECONDS = 1_000_000_000;
/** A segment whose end nobody knows, RFC 9559 §5.1.2. */
const UNKNOWN_SIZE = Uint8Array.of(0x18, 0x53, 0x80, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
const KEY_FRAME = 0x80;
/** Four bytes: track number, time relative to the cluster, flags. */
const BLOCK_HEADER_BYTES = 4;
const MAX_RELATIVE_MS = 32_767;

/** The configuration records of the tracks there are. */
export interface TrackRecords {
  readonly video: Uint8Array | undefined;
  readonly audio: Uint8Array | undefined;
}

/** One coded frame. */
export interface MatroskaFrame {
  readonly kind: 'video' | 'audio';
  /** The data is an Opus packet. */
  readonly isOpus: boolean;
  readonly key: boolean;
  /** Milliseconds. */
  readonly decodeTime: number;
  /** Presentation time less decode time, milliseconds. */
  readonly compositionTime: number;
  readonly data: Uint8Array;
}

/** Writes what comes before the first cluster. */
export function writeMatroskaPreamble(source: SourceProperties, records: TrackRecords): Uint8Array {
  const header = ebmlElement(
    ID.ebml,
    ebmlText(ID.docType, 'matroska'),
    ebmlUnsigned(ID.docTypeVersion, 4),
    ebmlUnsigned(ID.docTypeReadVersion, 2),
  );
  const info = ebmlElement(
    ID.info,
    ebmlUnsigned(ID.timestampScale, TIMESTAMP_SCALE),
    ebmlText(ID.muxingApp, 'rill'),
    ebmlText(ID.writingApp, 'rill'),
  );
  const tracks = ebmlElement(
    ID.tracks,
    ...(source.video === undefined ? [] : [videoEntry(source.video, records.video)]),
    ...(source.audio === undefined ? [] : [audioEntry(source.audio, records.audio)]),
  );
  return Buffer.concat([header, UNKNOWN_SIZE, info, tracks]);
}

/** Writes one frame as a cluster of its own, so that nothing waits for a later frame. */
export function writeMatroskaFrame(frame: MatroskaFrame): Uint8Array {
  const lowest = Math.max(-frame.decodeTime, -MAX_RELATIVE_MS);
  const relative = Math.max(lowest, Math.min(frame.compositionTime, MAX_RELATIVE_MS));
  const header = new Uint8Array(BLOCK_HEADER_BYTES);
  header[0] = 0x80 | TRACK[frame.kind].number;
  new DataView(header.buffer).setInt16(1, relative);
  const timestamp = ebmlUnsigned(ID.timestamp, frame.decodeTime);
  if (frame.isOpus) {
    // Opus packets differ in length, and only here the muxer behind ffmpeg's `copy` learns it.
    const duration = ebmlUnsigned(ID.blockDuration, Math.round(opusPacketMilliseconds(frame.data)));
    const block = ebmlElement(ID.block, header, frame.data);
    return ebmlElement(ID.cluster, timestamp, ebmlElement(ID.blockGroup, block, duration));
  }
  header[3] = frame.key ? KEY_FRAME : 0;
  return ebmlElement(ID.cluster, timestamp, ebmlElement(ID.simpleBlock, header, frame.data));
}

function videoEntry(video: SourceVideo, record: Uint8Array | undefined): Uint8Array {
  const { codec, width, height, frameRate } = video;
  return ebmlElement(
    ID.trackEntry,
    ...commonFields(TRACK.video, VIDEO_CODECS[codec]),
    // VP9's record is none of Matroska's.
    ...(record === undefined || codec === 'vp9' ? [] : [ebmlElement(ID.codecPrivate, record)]),
    ...(frameRate === undefined
      ? []
      : [ebmlUnsigned(ID.defaultDuration, Math.round(NANOSECONDS / frameRate))]),
    ebmlElement(ID.video, ebmlUnsigned(ID.pixelWidth, width), ebmlUnsigned(ID.pixelHeight, height)),
  );
}

function audioEntry(audio: SourceAudio, record: Uint8Array | undefined): Uint8Array {
  return ebmlElement(
    ID.trackEntry,
    ...commonFields(TRACK.audio, AUDIO_CODECS[audio.codec]),
    ...(record === undefined ? [] : [ebmlElement(ID.codecPrivate, record)]),
    ebmlElement(
      ID.audio,
      ebmlFloat(ID.samplingFrequency, audio.sampleRate),
      ebmlUnsigned(ID.channels, audio.channels),
    ),
  );
}

function commonFields(
  track: { readonly number: number; readonly type: number },
  codecId: string,
): readonly Uint8Array[] {
  return [
    ebmlUnsigned(ID.trackNumber, track.number),
    ebmlUnsigned(ID.trackUid, track.number),
    ebmlUnsigned(ID.trackType, track.type),
    ebmlUnsigned(ID.flagLacing, 0),
    ebmlText(ID.codecId, codecId),
  ];
}
