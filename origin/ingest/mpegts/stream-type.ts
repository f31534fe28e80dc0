/** Stream types of a program map table and what they mean to ingest, ISO/IEC 13818-1 table 2-34. */

/** What an elementary stream is to us; `data` (captions, SCTE-35, metadata) is let through unread. */
export type StreamKind =
  | { readonly kind: 'video'; readonly codec: 'h264' | 'hevc' }
  | { readonly kind: 'audio'; readonly codec: 'aac' }
  /** `channels` is that of its descriptor, Opus being without a header. */
  | { readonly kind: 'audio'; readonly codec: 'opus'; readonly channels: number }
  | { readonly kind: 'data' }
  | { readonly kind: 'unsupported'; readonly media: 'video' | 'audio'; readonly name: string };

const UNSUPPORTED_VIDEO: ReadonlyMap<number, string> = new Map([
  [0x01, 'MPEG-1 video'],
  [0x02, 'MPEG-2 video'],
  [0x10, 'MPEG-4 Visual'],
  [0x1f, 'SVC video'],
  [0x20, 'MVC video'],
  [0x21, 'JPEG 2000 video'],
  [0x33, 'VVC'],
  [0x42, 'AVS video'],
  [0xea, 'VC-1'],
]);
const UNSUPPORTED_AUDIO: ReadonlyMap<number, string> = new Map([
  [0x03, 'MPEG-1 audio'],
  [0x04, 'MPEG-2 audio'],
  [0x11, 'AAC in LATM'],
  [0x1c, 'raw AAC'],
  [0x2d, 'MPEG-H audio'],
  [0x2e, 'MPEG-H audio'],
  [0x81, 'AC-3'],
  [0x82, 'DTS'],
  [0x87, 'E-AC-3'],
]);
/** Registered format identifiers that name the codec of private data (0x06). */
const UNSUPPORTED_FORMATS: ReadonlyMap<string, { media: 'video' | 'audio'; name: string }> = new Map([
  ['AC-3', { media: 'audio', name: 'AC-3' }],
  ['EAC3', { media: 'audio', name: 'E-AC-3' }],
  ['BSSD', { media: 'audio', name: 'SMPTE 302M audio' }],
  ['AV01', { media: 'video', name: 'AV1' }],
  ['VC-1', { media: 'video', name: 'VC-1' }],
]);
/** DVB descriptors that name the codec of private data, ETSI EN 300 468 table 12. */
const UNSUPPORTED_DVB: ReadonlyMap<number, string> = new Map([
  [0x6a, 'AC-3'],
  [0x7a, 'E-AC-3'],
  [0x7b, 'DTS'],
]);
const H264 = 0x1b;
const HEVC = 0x24;
const AAC_ADTS = 0x0f;
const PRIVATE_DATA = 0x06;
const REGISTRATION_DESCRIPTOR = 0x05;
const EXTENSION_DESCRIPTOR = 0x7f;
const OPUS_EXTENSION = 0x80;
const MAX_OPUS_CHANNELS = 8;

/** Tells what a stream type, with the descriptors beside it, means. */
export function identifyStream(streamType: number, descriptors: Uint8Array): StreamKind {
  if (streamType === H264) {
    return { kind: 'video', codec: 'h264' };
  }
  if (streamType === HEVC) {
    return { kind: 'video', codec: 'hevc' };
  }
  if (streamType === AAC_ADTS) {
    return { kind: 'audio', codec: 'aac' };
  }
  const video = UNSUPPORTED_VIDEO.get(streamType);
  if (video !== undefined) {
    return { kind: 'unsupported', media: 'video', name: video };
  }
  const audio = UNSUPPORTED_AUDIO.get(streamType);
  if (audio !== undefined) {
    return { kind: 'unsupported', media: 'audio', name: audio };
  }
  return streamType === PRIVATE_DATA ? identifyPrivateData(descriptors) : { kind: 'data' };
}

function identifyPrivateData(bytes: Uint8Array): StreamKind {
  const descriptors = readDescriptors(bytes);
  for (const { tag, body } of descriptors) {
    const format = tag === REGISTRATION_DESCRIPTOR ? String.fromCharCode(...body.subarray(0, 4)) : '';
    if (format === 'HEVC') {
      return { kind: 'video', codec: 'hevc' };
    }
    if (format === 'Opus') {
      return { kind: 'audio', codec: 'opus', channels: opusChannels(descriptors) };
    }
    const registered = UNSUPPORTED_FORMATS.get(format);
    if (registered !== undefined) {
      return { kind: 'unsupported', ...registered };
    }
    const dvb = UNSUPPORTED_DVB.get(tag);
    if (dvb !== undefined) {
      return { kind: 'unsupported', media: 'audio', name: dvb };
    }
  }
  return { kind: 'data' };
}

interface Descriptor {
  readonly tag: number;
  readonly body: Uint8Array;
}

function readDescriptors(bytes: Uint8Array): readonly Descriptor[] {
  const descriptors: Descriptor[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const end = at + 2 + (bytes[at + 1] ?? 0);
    descriptors.push({ tag: bytes[at] ?? 0, body: bytes.subarray(at + 2, end) });
    at = end;
  }
  return descriptors;
}

/** Channels by the channel_config_code of Opus's extension descriptor, Encapsulation of Opus in MPEG-2 TS §3; dual mono and others count as stereo. */
function opusChannels(descriptors: readonly Descriptor[]): number {
  const extension = descriptors.find(
    ({ tag, body }) => tag === EXTENSION_DESCRIPTOR && body[0] === OPUS_EXTENSION,
  );
  const code = extension?.body[1] ?? 0;
  return code >= 1 && code <= MAX_OPUS_CHANNELS ? code : 2;
}
