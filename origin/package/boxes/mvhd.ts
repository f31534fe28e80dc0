/** `mvhd`: the movie header, ISO/IEC 14496-12 §8.2.2. */

import { fullBoxFields, writeBox } from './box-writer.ts';
import { UNITY_MATRIX } from './matrix.ts';

const RATE_NORMAL = 0x1_0000;
const VOLUME_FULL = 0x100;

/** Writes the whole box for a fragmented movie: the duration is 0, its samples come in fragments. */
export function writeMvhd(fields: { readonly timescale: number; readonly nextTrackId: number }): Uint8Array {
  const writer = fullBoxFields(0, 0)
    .u32(0, 0, fields.timescale, 0)
    .u32(RATE_NORMAL)
    .u16(VOLUME_FULL, 0)
    .u32(0, 0)
    .u32(...UNITY_MATRIX)
    .u32(0, 0, 0, 0, 0, 0)
    .u32(fields.nextTrackId);
  return writeBox('mvhd', writer.finish());
}
