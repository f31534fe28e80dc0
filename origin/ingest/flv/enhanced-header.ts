/** Takes an enhanced tag apart, Enhanced RTMP v2 "ExVideoTagHeader" and "ExAudioTagHeader". */

/** Prefixes one header may carry; the specification defines one kind, so more is no honest header. */
const MAX_MOD_EX = 8;
const LONG_SIZE = 256;
const FOURCC_BYTES = 4;
const TRACK_SIZE_BYTES = 3;
const ONE_TRACK = 0;
const MANY_TRACKS_MANY_CODECS = 2;

/** What one tag has for one track. */
export interface EnhancedPacket {
  readonly track: number;
  readonly packetType: number;
  readonly fourCc: string;
  readonly data: Uint8Array;
}

/** The packet types whose numbers differ between audio and video. */
export interface PacketTypes {
  readonly multitrack: number;
  readonly modEx: number;
}

/** Lists what a tag carries, or `undefined` where its bytes end before its header does or a track does not fit. */
export function readEnhancedTag(body: Uint8Array, types: PacketTypes): readonly EnhancedPacket[] | undefined {
  const header = skipModEx(body, types.modEx);
  if (header === undefined) {
    return undefined;
  }
  if (header.packetType === types.multitrack) {
    return readMultitrack(body, header.at);
  }
  const fourCc = readFourCc(body, header.at);
  const data = body.subarray(header.at + FOURCC_BYTES);
  return fourCc === undefined ? undefined : [{ track: 0, packetType: header.packetType, fourCc, data }];
}

/** Finds the packet type behind any ModEx prefixes; none of them changes what is decoded. */
function skipModEx(
  body: Uint8Array,
  modEx: number,
): { readonly packetType: number; readonly at: number } | undefined {
  let packetType = (body[0] ?? 0) & 0x0f;
  let at = 1;
  for (let count = 0; packetType === modEx; count += 1) {
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

function readMultitrack(body: Uint8Array, start: number): readonly EnhancedPacket[] | undefined {
  const first = body[start] ?? 0;
  const type = first >> 4;
  const packetType = first & 0x0f;
  let at = start + 1;
  let fourCc: string | undefined;
  if (type !== MANY_TRACKS_MANY_CODECS) {
    fourCc = readFourCc(body, at);
    at += FOURCC_BYTES;
  }
  const packets: EnhancedPacket[] = [];
  do {
    if (type === MANY_TRACKS_MANY_CODECS) {
      fourCc = readFourCc(body, at);
      at += FOURCC_BYTES;
    }
    const track = body[at];
    at += 1;
    let end = body.length;
    if (type !== ONE_TRACK) {
      end = at + TRACK_SIZE_BYTES + readUint24(body, at);
      at += TRACK_SIZE_BYTES;
    }
    if (fourCc === undefined || track === undefined || end > body.length) {
      return undefined;
    }
    packets.push({ track, packetType, fourCc, data: body.subarray(at, end) });
    at = end;
  } while (at < body.length);
  return packets;
}

function readFourCc(body: Uint8Array, at: number): string | undefined {
  const end = at + FOURCC_BYTES;
  return end > body.length ? undefined : String.fromCodePoint(...body.subarray(at, end));
}

function readUint24(body: Uint8Array, at: number): number {
  return ((body[at] ?? 0) << 16) | ((body[at + 1] ?? 0) << 8) | (body[at + 2] ?? 0);
}
