/** `mdhd`: the media header with the track's timescale, ISO/IEC 14496-12 §8.4.2. */

import { timescale, type Timescale } from '#shared/media-time.ts';
import { BoxReader } from './box-reader.ts';
import { fullBoxFields, writeBox } from './box-writer.ts';

/** Largest timescale taken, ticks per second: products of two stay exact integers. */
export const MAX_TIMESCALE = 2 ** 24;
/** "und", three letters of five bits each. */
const LANGUAGE_UNDETERMINED = 0x55c4;

/** Writes the whole box for a fragmented track: its duration is 0. */
export function writeMdhd(scale: Timescale): Uint8Array {
  const fields = fullBoxFields(0, 0).u32(0, 0, scale, 0).u16(LANGUAGE_UNDETERMINED, 0);
  return writeBox('mdhd', fields.finish());
}

/** Reads the timescale from the content; throws where it is 0 or larger than {@link MAX_TIMESCALE}. */
export function readMdhd(content: Uint8Array): Timescale {
  const reader = new BoxReader('mdhd', content);
  const { version } = reader.fullBox();
  reader.skip(version === 1 ? 16 : 8);
  const scale = reader.u32();
  if (scale === 0 || scale > MAX_TIMESCALE) {
    throw reader.error(`timescale ${scale} is not within 1 to ${MAX_TIMESCALE}`);
  }
  return timescale(scale);
}
