/** `mfhd`: a fragment's number, ISO/IEC 14496-12 §8.8.5. */

import { BoxReader } from './box-reader.ts';
import { fullBoxFields, writeBox } from './box-writer.ts';

/** Writes the whole box; the number counts a track's fragments from 1 and wraps at 32 bits. */
export function writeMfhd(sequence: number): Uint8Array {
  return writeBox('mfhd', fullBoxFields(0, 0).u32(sequence).finish());
}

/** Reads the number from the content. */
export function readMfhd(content: Uint8Array): number {
  const reader = new BoxReader('mfhd', content);
  reader.fullBox();
  return reader.u32();
}
