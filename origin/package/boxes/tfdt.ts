/** `tfdt`: decode time of a fragment's first sample, ISO/IEC 14496-12 §8.8.12. */

import { ticks, type Ticks } from '#shared/media-time.ts';
import { BoxReader } from './box-reader.ts';
import { fullBoxFields, writeBox } from './box-writer.ts';

/** Writes the whole box, version 1: 64 bits. */
export function writeTfdt(decodeTime: Ticks): Uint8Array {
  return writeBox('tfdt', fullBoxFields(1, 0).u64(decodeTime).finish());
}

/** Reads the content, version 0 or 1. */
export function readTfdt(content: Uint8Array): Ticks {
  const reader = new BoxReader('tfdt', content);
  const { version } = reader.fullBox();
  return ticks(version === 0 ? reader.u32() : reader.u64());
}
