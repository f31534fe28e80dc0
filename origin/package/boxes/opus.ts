/** `Opus`: the sample entry of Opus, Encapsulation of Opus in ISO Base Media File Format §4.3. */

import { OPUS_CODEC_STRING, OPUS_SAMPLE_RATE } from '#shared/codec/opus.ts';
import { openAudioEntry, type AudioEntry } from './audio-entry.ts';
import { requireChild, type Box } from './box-tree.ts';

/** Bytes of a `dOps` before its channel mapping. */
const DOPS_BYTES = 11;

/** Reads the sample entry; throws where its `dOps` is missing or broken. */
export function readOpus(entry: Box): AudioEntry {
  const { boxes, reader } = openAudioEntry(entry);
  const configuration = requireChild(boxes, 'dOps').content;
  const [version, channels = 0] = configuration;
  if (configuration.length < DOPS_BYTES || version !== 0 || channels === 0) {
    throw reader.error('dOps is no Opus configuration of version 0');
  }
  return { codecs: OPUS_CODEC_STRING, channels, sampleRate: OPUS_SAMPLE_RATE };
}
