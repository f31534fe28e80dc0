/** Takes an RTMP aggregate message apart: FLV tags one behind the other, RTMP 1.0 §7.1.6. */

import { FLV_TAG_HEADER_BYTES, FLV_TAG_TRAILER_BYTES, readFlvTagHeader } from './flv-tag.ts';

/** A tag of an aggregate; its type is not yet known to be one of FLV's. */
export interface AggregatedTag {
  readonly type: number;
  readonly timestamp: number;
  readonly body: Uint8Array;
}

/** Reads the tags, or `undefined` where a length does not fit; the first tag gets the message's time stamp. */
export function readAggregate(payload: Uint8Array, timestamp: number): readonly AggregatedTag[] | undefined {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const tags: AggregatedTag[] = [];
  let offset: number | undefined;
  let at = 0;
  while (at < payload.length) {
    if (at + FLV_TAG_HEADER_BYTES > payload.length) {
      return undefined;
    }
    const { type, bodyBytes, timestamp: own } = readFlvTagHeader(view, at);
    const start = at + FLV_TAG_HEADER_BYTES;
    const end = start + bodyBytes;
    if (end > payload.length) {
      return undefined;
    }
    offset ??= timestamp - own;
    tags.push({
      type,
      timestamp: (own + offset) >>> 0,
      body: payload.subarray(start, end),
    });
    at = end + FLV_TAG_TRAILER_BYTES;
  }
  return tags;
}
