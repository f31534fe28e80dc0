/** The onMetaData script of a stream: what an encoder states, and what we write, FLV 10.1 E.5. */

import type { SourceProperties } from '../media-feed.ts';
import { amfEcmaArray, amfProperty, isAmfObject, type AmfValue } from './amf0.ts';
import { encodeAmf0 } from './amf0-encode.ts';

/** What an encoder's onMetaData states; `undefined` where it does not. */
export interface StreamMetadata {
  readonly hasVideo: boolean | undefined;
  readonly hasAudio: boolean | undefined;
  readonly frameRate: number | undefined;
}

/** Above this a frame rate is a mistake of the encoder. */
const MAX_FRAME_RATE = 1000;
const AVC = 7;
const AAC = 10;

/** Reads the object of an onMetaData. Naming one track's codec and not the other's means there is no other. */
export function readStreamMetadata(value: AmfValue): StreamMetadata {
  const video = statesTrack(value, 'videocodecid', 'hasVideo');
  const audio = statesTrack(value, 'audiocodecid', 'hasAudio');
  return {
    hasVideo: video ?? (audio === true ? false : undefined),
    hasAudio: audio ?? (video === true ? false : undefined),
    frameRate: readFrameRate(value),
  };
}

/** Reads the onMetaData among the values of a data message, with or without `@setDataFrame` before it. */
export function findMetadata(values: readonly AmfValue[]): StreamMetadata | undefined {
  const [name, value] = values[0] === '@setDataFrame' ? values.slice(1) : values;
  return name === 'onMetaData' && isAmfObject(value) ? readStreamMetadata(value) : undefined;
}

/** Writes the body of a script tag that states what the parameter sets say and nothing else. */
export function writeStreamMetadata(source: SourceProperties): Uint8Array {
  const { video, audio } = source;
  const properties = amfEcmaArray({
    ...(video !== undefined && { videocodecid: AVC, width: video.width, height: video.height }),
    ...(video?.frameRate !== undefined && { framerate: video.frameRate }),
    ...(audio !== undefined && {
      audiocodecid: AAC,
      audiosamplerate: audio.sampleRate,
      stereo: audio.channels > 1,
    }),
  });
  return encodeAmf0(['onMetaData', properties]);
}

function statesTrack(value: AmfValue, codecName: string, flagName: string): boolean | undefined {
  const flag = amfProperty(value, flagName);
  if (typeof flag === 'boolean') {
    return flag;
  }
  const codec = amfProperty(value, codecName);
  return (typeof codec === 'number' && codec > 0) || (typeof codec === 'string' && codec !== '')
    ? true
    : undefined;
}

function readFrameRate(value: AmfValue): number | undefined {
  const stated = amfProperty(value, 'framerate') ?? amfProperty(value, 'videoframerate');
  return typeof stated === 'number' && stated > 0 && stated <= MAX_FRAME_RATE ? stated : undefined;
}
