/** What the sample entries of all video codecs have in common, ISO/IEC 14496-12 §12.1.3. */

import type { VideoRange } from '#shared/codec/video-range.ts';
import type { Result } from '#shared/result.ts';
import { BoxReader } from './box-reader.ts';
import { findChild, requireChild, type Box } from './box-tree.ts';
import { FieldWriter, writeBox } from './box-writer.ts';
import { readColr } from './colr.ts';

/** Bytes of a visual sample entry before its boxes. */
const VISUAL_SAMPLE_ENTRY_BYTES = 78;

/** 72 dots per inch as 16.16 fixed point: what every writer states and no reader uses. */
const RESOLUTION = 0x48_0000;
const COMPRESSOR_NAME_BYTES = 32;
/** Colour without alpha. */
const DEPTH = 24;

/** What a video sample entry says. */
export interface VisualEntry {
  /** RFC 6381, from the real parameter sets. */
  readonly codecs: string;
  readonly width: number;
  readonly height: number;
  readonly videoRange: VideoRange;
}

/**
 * Reads a sample entry whose `configurationBox` holds the codec's configuration record; throws where that is
 * missing or `readCodecs` cannot read it.
 */
export function readVisualEntry(
  entry: Box,
  configurationBox: string,
  readCodecs: (record: Uint8Array) => Result<string, { readonly reason: string; readonly detail: string }>,
): VisualEntry {
  const reader = new BoxReader(entry.type, entry.content);
  reader.skip(24);
  const width = reader.u16();
  const height = reader.u16();
  reader.skip(VISUAL_SAMPLE_ENTRY_BYTES - 28);
  const boxes = { ...entry, content: reader.bytes(reader.remaining) };
  const codecs = readCodecs(requireChild(boxes, configurationBox).content);
  if (!codecs.ok) {
    throw reader.error(codecs.failure.detail);
  }
  const colours = findChild(boxes, 'colr');
  const videoRange = colours === undefined ? 'SDR' : readColr(colours.content);
  return { codecs: codecs.value, width, height, videoRange };
}

/** Writes a sample entry around its boxes, the first of which is the codec's configuration. */
export function writeVisualEntry(
  type: string,
  { width, height }: Pick<VisualEntry, 'width' | 'height'>,
  ...boxes: readonly Uint8Array[]
): Uint8Array {
  const fields = new FieldWriter()
    .u8(0, 0, 0, 0, 0, 0)
    .u16(1, 0, 0)
    .u32(0, 0, 0)
    .u16(width, height)
    .u32(RESOLUTION, RESOLUTION, 0)
    .u16(1)
    .bytes(new Uint8Array(COMPRESSOR_NAME_BYTES))
    .u16(DEPTH, 0xffff);
  return writeBox(type, fields.finish(), ...boxes);
}
