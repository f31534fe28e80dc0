/** Reads the body of an audio tag, legacy (FLV 10.1 E.4.2.1) or Enhanced RTMP v2 (ExAudioTagHeader). */

import type { CodecTag } from './codec-tag.ts';
import { skipModEx } from './enhanced-header.ts';

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
const FOURCC_NAMES: ReadonlyMap<string, string> = new Map([
  ['Opus', 'Opus'],
  ['fLaC', 'FLAC'],
  ['ac-3', 'AC-3'],
  ['ec-3', 'E-AC-3'],
  ['.mp3', 'MP3'],
]);

/** AAC tags say 44 kHz stereo 16 bit whatever the stream is, FLV 10.1 E.4.2.1. */
const AAC_FIRST_BYTE = 0xaf;
const AAC_SEQUENCE_HEADER = 0;
const AAC_RAW = 1;
const AAC_HEADER_BYTES = 2;

const EX_HEADER = 9;
const EX_SEQUENCE_START = 0;
const EX_CODED_FRAMES = 1;
const EX_MULTITRACK = 5;
const EX_MOD_EX = 7;
const FOURCC_BYTES = 4;

/** Reads an audio tag's body; AAC under the enhanced header comes back in the legacy form. */
export function readAudioTag(body: Uint8Array): CodecTag {
  const first = body[0];
  if (first === undefined) {
    return { kind: 'ignored' };
  }
  const format = first >> 4;
  if (format === EX_HEADER) {
    return readEnhanced(body, first);
  }
  return format === LEGACY_AAC
    ? readAac(body)
    : { kind: 'unsupported', codec: LEGACY_NAMES.get(format) ?? `sound format ${format}` };
}

function readAac(body: Uint8Array): CodecTag {
  if (body.length <= AAC_HEADER_BYTES) {
    return { kind: 'ignored' };
  }
  if (body[1] === AAC_SEQUENCE_HEADER) {
    return { kind: 'sequence-header', configuration: body.subarray(AAC_HEADER_BYTES), body };
  }
  return body[1] === AAC_RAW ? { kind: 'frame', key: true, body } : { kind: 'ignored' };
}

function readEnhanced(body: Uint8Array, first: number): CodecTag {
  const header = skipModEx(body, { packetType: first & 0x0f, modEx: EX_MOD_EX });
  if (header === undefined) {
    return { kind: 'ignored' };
  }
  if (header.packetType === EX_MULTITRACK) {
    return { kind: 'unsupported', codec: 'Enhanced RTMP multitrack audio' };
  }
  const fourCc = String.fromCodePoint(...body.subarray(header.at, header.at + FOURCC_BYTES));
  if (fourCc !== 'mp4a') {
    return { kind: 'unsupported', codec: FOURCC_NAMES.get(fourCc) ?? 'an unknown audio FourCC' };
  }
  if (header.packetType !== EX_SEQUENCE_START && header.packetType !== EX_CODED_FRAMES) {
    return { kind: 'ignored' };
  }
  const data = body.subarray(header.at + FOURCC_BYTES);
  const legacy = new Uint8Array(AAC_HEADER_BYTES + data.length);
  legacy.set([AAC_FIRST_BYTE, header.packetType === EX_SEQUENCE_START ? AAC_SEQUENCE_HEADER : AAC_RAW]);
  legacy.set(data, AAC_HEADER_BYTES);
  return readAac(legacy);
}
