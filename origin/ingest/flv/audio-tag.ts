/** Reads the body of an audio tag, legacy (FLV 10.1 E.4.2.1) or Enhanced RTMP v2 (ExAudioTagHeader). */

import type { SourceAudio } from '../media-feed.ts';
import { AUDIO_HEADER_BYTES, joinBody, type CodecTag, type TrackTag } from './codec-tag.ts';
import { readEnhancedTag, type EnhancedPacket } from './enhanced-header.ts';

const LEGACY_AAC = 10;
const LEGACY_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'linear PCM'],
  [1, 'ADPCM'],
  [2, 'MP3'],
  [3, 'linear PCM'],
  [4, 'Nellymoser'],
  [5, 'Nellymoser'],
  [6, 'Nellymoser'],
  [7, 'G.711 A-law'],
  [8, 'G.711 mu-law'],
  [11, 'Speex'],
  [14, 'MP3 8 kHz'],
]);
const CARRIED: ReadonlyMap<string, SourceAudio['codec']> = new Map([
  ['mp4a', 'aac'],
  ['Opus', 'opus'],
]);
const FOURCC_NAMES: ReadonlyMap<string, string> = new Map([
  ['fLaC', 'FLAC'],
  ['ac-3', 'AC-3'],
  ['ec-3', 'E-AC-3'],
  ['.mp3', 'MP3'],
]);

/** AAC tags say 44 kHz stereo 16 bit whatever the stream is, FLV 10.1 E.4.2.1. */
const AAC_FIRST_BYTE = 0xaf;
const AAC_SEQUENCE_HEADER = 0;
const AAC_RAW = 1;

const EX_HEADER = 9;
const EX_SEQUENCE_START = 0;
const EX_CODED_FRAMES = 1;
const PACKET_TYPES = { multitrack: 5, modEx: 7 };

/** Reads an audio tag's body: one tag, or one for each track that it carries. */
export function readAudioTag(body: Uint8Array): readonly TrackTag[] {
  const first = body[0];
  if (first === undefined) {
    return [];
  }
  const format = first >> 4;
  if (format === LEGACY_AAC) {
    return [{ ...readAac(body), track: 0 }];
  }
  if (format !== EX_HEADER) {
    const codec = LEGACY_NAMES.get(format) ?? `sound format ${format}`;
    return [{ kind: 'unsupported', codec, track: 0 }];
  }
  const packets = readEnhancedTag(body, PACKET_TYPES);
  return packets === undefined
    ? [{ kind: 'malformed', detail: 'an Enhanced RTMP audio tag is cut short', track: 0 }]
    : packets.map((packet) => ({ ...readPacket(packet), track: packet.track }));
}

function readAac(body: Uint8Array): CodecTag {
  if (body.length <= AUDIO_HEADER_BYTES) {
    return { kind: 'ignored' };
  }
  if (body[1] === AAC_SEQUENCE_HEADER) {
    return {
      kind: 'sequence-header',
      codec: 'aac',
      configuration: body.subarray(AUDIO_HEADER_BYTES),
      body,
    };
  }
  return body[1] === AAC_RAW ? { kind: 'frame', codec: 'aac', key: true, body } : { kind: 'ignored' };
}

function readPacket({ packetType, fourCc, data }: EnhancedPacket): CodecTag {
  const codec = CARRIED.get(fourCc);
  if (codec === undefined) {
    return { kind: 'unsupported', codec: FOURCC_NAMES.get(fourCc) ?? 'audio with an unknown FourCC' };
  }
  switch (packetType) {
    case EX_SEQUENCE_START: {
      const body = joinBody([AAC_FIRST_BYTE, AAC_SEQUENCE_HEADER], data);
      return { kind: 'sequence-header', codec, configuration: data, body };
    }
    case EX_CODED_FRAMES:
      return data.length === 0
        ? { kind: 'ignored' }
        : { kind: 'frame', codec, key: true, body: joinBody([AAC_FIRST_BYTE, AAC_RAW], data) };
    default:
      return { kind: 'ignored' };
  }
}
