/** `stsd`: the sample descriptions, ISO/IEC 14496-12 §8.5.2. */

import { childBoxes, type Box } from './box-tree.ts';
import { BoxReader } from './box-reader.ts';
import { fullBoxFields, writeBox } from './box-writer.ts';

/** Writes the whole box around one sample entry box. */
export function writeStsd(sampleEntry: Uint8Array): Uint8Array {
  return writeBox('stsd', fullBoxFields(0, 0).u32(1).bytes(sampleEntry).finish());
}

/** Reads the one sample entry from the content; throws where there is none or more than one. */
export function readStsd(content: Uint8Array): Box {
  const reader = new BoxReader('stsd', content);
  reader.fullBox();
  const count = reader.u32();
  const entries = childBoxes('stsd', reader.bytes(reader.remaining));
  const [entry] = entries;
  if (count !== 1 || entries.length !== 1 || entry === undefined) {
    throw reader.error(`one sample entry expected, ${count} announced and ${entries.length} there`);
  }
  return entry;
}
