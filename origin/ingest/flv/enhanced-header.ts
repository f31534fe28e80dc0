/** Steps over the ModEx prefixes of an enhanced tag header, Enhanced RTMP v2 "ExVideoTagHeader", "ExAudioTagHeader". */

/** Prefixes one header may carry; the specification defines one kind, so more is no honest header. */
const MAX_MOD_EX = 8;
const LONG_SIZE = 256;

/** The packet type that finally counts, and where its FourCC or multitrack byte begins. */
export interface EnhancedHeader {
  readonly packetType: number;
  readonly at: number;
}

/** Finds the packet type behind any ModEx prefixes, or `undefined` where the bytes end before it. */
export function skipModEx(
  body: Uint8Array,
  start: { readonly packetType: number; readonly modEx: number },
): EnhancedHeader | undefined {
  let packetType = start.packetType;
  let at = 1;
  for (let count = 0; packetType === start.modEx; count += 1) {
    let size = (body[at] ?? 0) + 1;
    at += 1;
    if (size === LONG_SIZE) {
      size = (((body[at] ?? 0) << 8) | (body[at + 1] ?? 0)) + 1;
      at += 2;
    }
    at += size;
    const next = body[at];
    if (next === undefined || count >= MAX_MOD_EX) {
      return undefined;
    }
    packetType = next & 0x0f;
    at += 1;
  }
  return { packetType, at };
}
