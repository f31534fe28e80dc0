/** What the sample entries of all audio codecs have in common, ISO/IEC 14496-12 §12.2.3. */

import { BoxReader } from './box-reader.ts';
import type { Box } from './box-tree.ts';
import { FieldWriter, writeBox } from './box-writer.ts';

/** Bytes of an audio sample entry before its boxes. */
const AUDIO_SAMPLE_ENTRY_BYTES = 28;

const BITS_PER_SAMPLE = 16;
/** The largest rate that its 16.16 fixed point field holds; higher ones are said by the codec's configuration alone. */
const MAX_STATED_RATE = 0xffff;

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

/** Writes a sample entry around its boxes. */
export function writeAudioEntry(
  type: string,
  { channels, sampleRate }: Pick<AudioEntry, 'channels' | 'sampleRate'>,
  ...boxes: readonly Uint8Array[]
): Uint8Array {
  const fields = new FieldWriter()
    .u8(0, 0, 0, 0, 0, 0)
    .u16(1)
    .u32(0, 0)
    .u16(channels, BITS_PER_SAMPLE, 0, 0)
    .u16(sampleRate > MAX_STATED_RATE ? 0 : sampleRate, 0);
  return writeBox(type, fields.finish(), ...boxes);
}
