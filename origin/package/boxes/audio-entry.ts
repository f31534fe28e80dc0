/** What the sample entries of all audio codecs have in common, ISO/IEC 14496-12 §12.2.3. */

import { BoxReader } from './box-reader.ts';
import type { Box } from './box-tree.ts';

/** Bytes of an audio sample entry before its boxes. */
const AUDIO_SAMPLE_ENTRY_BYTES = 28;

/** What an audio sample entry says. */
export interface AudioEntry {
  /** RFC 6381, from the real configuration. */
  readonly codecs: string;
  readonly channels: number;
  readonly sampleRate: number;
}

/** The boxes inside a sample entry, and a reader whose errors name it. */
export function openAudioEntry(entry: Box): { readonly boxes: Box; readonly reader: BoxReader } {
  const reader = new BoxReader(entry.type, entry.content);
  reader.skip(AUDIO_SAMPLE_ENTRY_BYTES);
  return { boxes: { ...entry, content: reader.bytes(reader.remaining) }, reader };
}
