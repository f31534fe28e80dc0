/** `colr`: how colours are coded, ISO/IEC 14496-12 §12.1.5. */

import type { H264Colours } from '#shared/codec/h264.ts';
import type { VideoRange } from '#shared/codec/video-range.ts';
import { BoxReader } from './box-reader.ts';
import { FieldWriter, writeBox } from './box-writer.ts';

/** TransferCharacteristics, ISO/IEC 23091-2 §8.2: those that are not SDR. */
const RANGES: ReadonlyMap<number, VideoRange> = new Map([
  [16, 'PQ'],
  [18, 'HLG'],
]);
const PARAMETERS = ['nclx', 'nclc'];
const TYPE_BYTES = 4;

/** Reads the range from the content; colours that an ICC profile describes are SDR. */
export function readColr(content: Uint8Array): VideoRange {
  const reader = new BoxReader('colr', content);
  const type = new TextDecoder('latin1').decode(reader.bytes(TYPE_BYTES));
  if (!PARAMETERS.includes(type)) {
    return 'SDR';
  }
  reader.skip(2);
  return RANGES.get(reader.u16()) ?? 'SDR';
}

/** Writes the whole box with code points. */
export function writeColr({ primaries, transfer, matrix, fullRange }: H264Colours): Uint8Array {
  const fields = new FieldWriter()
    .text('nclx')
    .u16(primaries, transfer, matrix)
    .u8(fullRange ? 0x80 : 0);
  return writeBox('colr', fields.finish());
}
