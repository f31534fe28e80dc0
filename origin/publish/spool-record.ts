/**
 * The spool's file format: records one after the other, each `u32 magic, u32 headerLength, u32 payloadLength,
 * u32 CRC-32 of the payload, header (JSON: key, contentType), payload`, big-endian.
 */

import { crc32 } from 'node:zlib';
import { z } from 'zod';

/** "RILL". */
const MAGIC = 0x52494c4c;
/** Bytes before the header. */
export const PREFIX_BYTES = 16;
/** Largest header, bytes: a key of 1,024 bytes, the most that S3 takes, and a content type. */
const MAX_HEADER_BYTES = 4096;
/** What the length field holds. */
const MAX_PAYLOAD_BYTES = 0xffff_ffff;

const headerSchema = z.object({ key: z.string().min(1), contentType: z.string() });

/** What a record's prefix says. */
export interface RecordPrefix {
  readonly headerLength: number;
  readonly payloadLength: number;
  readonly checksum: number;
}

/** Renders what stands before a record's payload. */
export function recordHead(key: string, contentType: string, payload: Uint8Array): Uint8Array {
  const header = new TextEncoder().encode(JSON.stringify({ key, contentType }));
  if (header.length > MAX_HEADER_BYTES || payload.length > MAX_PAYLOAD_BYTES) {
    throw new RangeError(`an object whose key has ${key.length} characters and ${payload.length} bytes`);
  }
  const head = new Uint8Array(PREFIX_BYTES + header.length);
  const view = new DataView(head.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, header.length);
  view.setUint32(8, payload.length);
  view.setUint32(12, crc32(payload));
  head.set(header, PREFIX_BYTES);
  return head;
}

/** Reads a record's prefix; `undefined` where none begins, which is where a killed writer stopped. */
export function readPrefix(bytes: Uint8Array): RecordPrefix | undefined {
  if (bytes.length < PREFIX_BYTES) {
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = view.getUint32(4);
  return view.getUint32(0) !== MAGIC || headerLength > MAX_HEADER_BYTES
    ? undefined
    : { headerLength, payloadLength: view.getUint32(8), checksum: view.getUint32(12) };
}

/** Reads a record's header, `undefined` for one that is none. */
export function readHeader(
  bytes: Uint8Array,
): { readonly key: string; readonly contentType: string } | undefined {
  try {
    return headerSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch {
    return undefined;
  }
}
