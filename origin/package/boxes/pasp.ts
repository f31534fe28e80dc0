/** `pasp`: the shape of a pixel, ISO/IEC 14496-12 §12.1.4. */

import { FieldWriter, writeBox } from './box-writer.ts';

/** Writes the whole box. */
export function writePasp({
  width,
  height,
}: {
  readonly width: number;
  readonly height: number;
}): Uint8Array {
  return writeBox('pasp', new FieldWriter().u32(width, height).finish());
}
