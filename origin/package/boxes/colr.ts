/** `colr`: how colours are coded, ISO/IEC 14496-12 §12.1.5. */

import { BoxReader } from './box-reader.ts';

/** How luminance is coded, as VIDEO-RANGE (rfc8216bis §4.4.6.2) names it. */
export type VideoRange = 'SDR' | 'HLG' | 'PQ';

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
