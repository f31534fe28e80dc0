/** `vmhd`: the video media header, ISO/IEC 14496-12 §12.1.2. */

import { fullBoxFields, writeBox } from './box-writer.ts';

/** Writes the whole box: copy mode, no colour. */
export function writeVmhd(): Uint8Array {
  return writeBox('vmhd', fullBoxFields(0, 1).u16(0, 0, 0, 0).finish());
}
