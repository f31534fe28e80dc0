/** `smhd`: the sound media header, ISO/IEC 14496-12 §12.2.2. */

import { fullBoxFields, writeBox } from './box-writer.ts';

/** Writes the whole box: balance in the centre. */
export function writeSmhd(): Uint8Array {
  return writeBox('smhd', fullBoxFields(0, 0).u16(0, 0).finish());
}
