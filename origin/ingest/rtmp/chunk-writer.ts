/** Cuts messages into chunks, RTMP 1.0 §5.3. */

import type { RtmpMessage } from './message.ts';

/** Chunk size before any Set Chunk Size, §5.4.1. */
export const DEFAULT_CHUNK_SIZE = 128;

const EXTENDED = 0xff_ffff;
const FULL_HEADER_BYTES = 11;
const EXTENDED_BYTES = 4;
const TYPE_3 = 3;
const MAX_BASIC_HEADER_BYTES = 3;

/** Writes a message as one type 0 chunk and as many type 3 chunks as the chunk size asks for. */
export function writeChunks(message: RtmpMessage, chunkSize: number): Uint8Array {
  const extended = message.timestamp >= EXTENDED;
  const chunks = Math.max(1, Math.ceil(message.payload.length / chunkSize));
  const overhead = chunks * (MAX_BASIC_HEADER_BYTES + EXTENDED_BYTES) + FULL_HEADER_BYTES;
  const bytes = new Uint8Array(overhead + message.payload.length);
  let at = writeFirstHeader(bytes, message, extended);
  for (let start = 0; start < message.payload.length; start += chunkSize) {
    if (start > 0) {
      at = writeBasicHeader(bytes, at, TYPE_3, message.chunkStreamId);
      at = extended ? writeUint32(bytes, at, message.timestamp) : at;
    }
    const piece = message.payload.subarray(start, start + chunkSize);
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes.subarray(0, at);
}

function writeFirstHeader(bytes: Uint8Array, message: RtmpMessage, extended: boolean): number {
  const start = writeBasicHeader(bytes, 0, 0, message.chunkStreamId);
  const view = new DataView(bytes.buffer);
  view.setUint32(start, (extended ? EXTENDED : message.timestamp) << 8);
  view.setUint32(start + 3, (message.payload.length << 8) | message.typeId);
  view.setUint32(start + 7, message.streamId, true);
  const end = start + FULL_HEADER_BYTES;
  return extended ? writeUint32(bytes, end, message.timestamp) : end;
}

function writeBasicHeader(bytes: Uint8Array, at: number, format: number, chunkStreamId: number): number {
  const top = format << 6;
  if (chunkStreamId < 64) {
    bytes[at] = top | chunkStreamId;
    return at + 1;
  }
  const rest = chunkStreamId - 64;
  if (rest < 256) {
    bytes.set([top, rest], at);
    return at + 2;
  }
  bytes.set([top | 1, rest & 0xff, rest >> 8], at);
  return at + 3;
}

function writeUint32(bytes: Uint8Array, at: number, value: number): number {
  new DataView(bytes.buffer).setUint32(at, value);
  return at + 4;
}
