/** Reads a chunk's basic header and message header, RTMP 1.0 §5.3.1.1 and §5.3.1.2. */

import { readUint32 } from './message.ts';

/** The fields a chunk header carries; those that its format leaves out are `undefined`. */
export interface ChunkHeader {
  readonly format: number;
  readonly chunkStreamId: number;
  /** Time stamp (format 0) or time stamp delta (1, 2) in milliseconds, extended form resolved. */
  readonly time: number | undefined;
  /** The time needed the extended field. */
  readonly extended: boolean;
  readonly length: number | undefined;
  readonly typeId: number | undefined;
  readonly streamId: number | undefined;
  /** Bytes of the header; for format 3 without the extended time stamp, which only its chunk stream knows of. */
  readonly size: number;
}

const EXTENDED = 0xff_ffff;
const MESSAGE_HEADER_BYTES: readonly number[] = [11, 7, 3, 0];

/** Reads the header at `at`, or `undefined` where the bytes end before it does. */
export function readChunkHeader(bytes: Uint8Array, at: number): ChunkHeader | undefined {
  const basic = readBasicHeader(bytes, at);
  if (basic === undefined) {
    return undefined;
  }
  const { format, chunkStreamId } = basic;
  const start = at + basic.size;
  const end = start + (MESSAGE_HEADER_BYTES[format] ?? 0);
  if (end > bytes.length) {
    return undefined;
  }
  const field = format < 3 ? uint24(bytes, start) : undefined;
  const extended = field === EXTENDED;
  const time = extended ? readUint32(bytes, end) : field;
  if (extended && time === undefined) {
    return undefined;
  }
  return {
    format,
    chunkStreamId,
    time,
    extended,
    length: format < 2 ? uint24(bytes, start + 3) : undefined,
    typeId: format < 2 ? bytes[start + 6] : undefined,
    streamId: format === 0 ? uint32LittleEndian(bytes, start + 7) : undefined,
    size: end - at + (extended ? 4 : 0),
  };
}

function readBasicHeader(
  bytes: Uint8Array,
  at: number,
): { readonly format: number; readonly chunkStreamId: number; readonly size: number } | undefined {
  const first = bytes[at];
  if (first === undefined) {
    return undefined;
  }
  const format = first >> 6;
  const short = first & 0x3f;
  if (short > 1) {
    return { format, chunkStreamId: short, size: 1 };
  }
  const size = short + 2;
  if (at + size > bytes.length) {
    return undefined;
  }
  const high = short === 1 ? (bytes[at + 2] ?? 0) : 0;
  return { format, chunkStreamId: 64 + (bytes[at + 1] ?? 0) + high * 256, size };
}

function uint24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}

function uint32LittleEndian(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}
