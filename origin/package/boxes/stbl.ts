/** `stbl`: a sample table whose samples all come in fragments, ISO/IEC 14496-12 §8.5.1. */

import { fullBoxFields, writeBox } from './box-writer.ts';
import { writeStsd } from './stsd.ts';

/** Writes the whole box: the sample description, and empty `stts`, `stsc`, `stsz`, `stco`. */
export function writeStbl(sampleEntry: Uint8Array): Uint8Array {
  return writeBox(
    'stbl',
    writeStsd(sampleEntry),
    writeBox('stts', fullBoxFields(0, 0).u32(0).finish()),
    writeBox('stsc', fullBoxFields(0, 0).u32(0).finish()),
    writeBox('stsz', fullBoxFields(0, 0).u32(0, 0).finish()),
    writeBox('stco', fullBoxFields(0, 0).u32(0).finish()),
  );
}
