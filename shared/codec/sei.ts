/** SEI messages: what an encoder says beside its pictures, ITU-T H.264 §7.3.2.3 and H.265 §7.3.5. */

import { removeEmulationPrevention } from './nal-unit.ts';

/** One message. */
export interface SeiMessage {
  readonly type: number;
  readonly payload: Uint8Array;
}

const MORE = 0xff;

/** Reads the messages of an SEI NAL unit after its header; one that is cut off ends the list. */
export function readSeiMessages(sei: Uint8Array): readonly SeiMessage[] {
  const bytes = removeEmulationPrevention(sei);
  const messages: SeiMessage[] = [];
  // The last byte is at least the trailing bits.
  for (let at = 0; at + 2 < bytes.length;) {
    const type = readVariable(bytes, at);
    const size = readVariable(bytes, type.end);
    const end = size.end + size.value;
    messages.push({ type: type.value, payload: bytes.subarray(size.end, end) });
    at = end;
  }
  return messages;
}

/** A number as a run of 0xff and a last byte. */
function readVariable(bytes: Uint8Array, from: number): { readonly value: number; readonly end: number } {
  let at = from;
  while (bytes[at] === MORE) {
    at += 1;
  }
  return { value: (at - from) * MORE + (bytes[at] ?? 0), end: at + 1 };
}
