/** `mp4a`: the sample entry of AAC, ISO/IEC 14496-14 §5.6. */

import { aacCodecString, parseAudioSpecificConfig, type AacParameters } from '#shared/codec/aac.ts';
import { openAudioEntry, writeAudioEntry, type AudioEntry } from './audio-entry.ts';
import { requireChild, type Box } from './box-tree.ts';
import { readEsds, writeEsds } from './esds.ts';

/** Reads the sample entry; throws where its configuration is missing or broken. */
export function readMp4a(entry: Box): AudioEntry {
  const { boxes, reader } = openAudioEntry(entry);
  const parameters = parseAudioSpecificConfig(readEsds(requireChild(boxes, 'esds').content));
  if (!parameters.ok) {
    throw reader.error(parameters.failure.detail);
  }
  const { channels, sampleRate } = parameters.value;
  return { codecs: aacCodecString(parameters.value), channels, sampleRate };
}

/** Writes the sample entry of an AudioSpecificConfig, which says `parameters`. */
export function writeMp4a(config: Uint8Array, parameters: AacParameters): Uint8Array {
  return writeAudioEntry('mp4a', parameters, writeEsds(config));
}
