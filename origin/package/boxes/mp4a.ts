/** `mp4a`: the sample entry of AAC, ISO/IEC 14496-14 §5.6 and 14496-12 §12.2.3. */

import { aacCodecString, parseAudioSpecificConfig } from '#shared/codec/aac.ts';
import { BoxReader } from './box-reader.ts';
import { requireChild, type Box } from './box-tree.ts';
import { readEsds } from './esds.ts';

/** Bytes of an audio sample entry before its boxes. */
const AUDIO_SAMPLE_ENTRY_BYTES = 28;

/** What an AAC sample entry says. */
export interface AudioEntry {
  /** RFC 6381, from the real AudioSpecificConfig. */
  readonly codecs: string;
  readonly channels: number;
  readonly sampleRate: number;
}

/** Reads the sample entry; throws where its configuration is missing or broken. */
export function readMp4a(entry: Box): AudioEntry {
  const reader = new BoxReader('mp4a', entry.content);
  reader.skip(AUDIO_SAMPLE_ENTRY_BYTES);
  const boxes = { ...entry, content: reader.bytes(reader.remaining) };
  const parameters = parseAudioSpecificConfig(readEsds(requireChild(boxes, 'esds').content));
  if (!parameters.ok) {
    throw reader.error(parameters.failure.detail);
  }
  const { channels, sampleRate } = parameters.value;
  return { codecs: aacCodecString(parameters.value), channels, sampleRate };
}
