/** How pictures are to be turned for display, as their SEI says: ITU-T H.264 §D.1.27. */

import { BitReader } from './bit-reader.ts';
import { readSeiMessages } from './sei.ts';

/** Degrees clockwise. */
export type Rotation = 0 | 90 | 180 | 270;

const DISPLAY_ORIENTATION = 47;
/** Cancel flag, two flips and 16 bits of angle. */
const LEAST_BYTES = 3;
const FULL_TURN = 65_536;

/** Reads the quarter turn that a SEI NAL unit after its header asks for, `undefined` where it asks for none. */
export function readDisplayRotation(sei: Uint8Array): Rotation | undefined {
  const found = readSeiMessages(sei).find(({ type }) => type === DISPLAY_ORIENTATION);
  if (found === undefined || found.payload.length < LEAST_BYTES) {
    return undefined;
  }
  const reader = new BitReader(found.payload);
  const isCancelled = reader.bit() === 1;
  reader.skip(2);
  const quarters = Math.round((reader.bits(16) * 4) / FULL_TURN) % 4;
  const turns: readonly Rotation[] = [0, 270, 180, 90];
  return isCancelled ? undefined : turns[quarters];
}
