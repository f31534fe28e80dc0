/** `dinf` and `dref`: the media lies in the same file, ISO/IEC 14496-12 §8.7.1 and §8.7.2. */

import { fullBoxFields, writeBox } from './box-writer.ts';

const SELF_CONTAINED = 1;

/** Writes the whole box with its one self-contained reference. */
export function writeDinf(): Uint8Array {
  const url = writeBox('url ', fullBoxFields(0, SELF_CONTAINED).finish());
  return writeBox('dinf', writeBox('dref', fullBoxFields(0, 0).u32(1).bytes(url).finish()));
}
