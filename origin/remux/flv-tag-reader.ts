/** Reads FLV as it arrives, FLV 10.1 annex E: the counterpart of `flv-tag.ts`. */

import { FLV_FILE_HEADER_BYTES, FLV_TAG_HEADER_BYTES, FLV_TAG_TRAILER_BYTES } from '../ingest/flv/flv-tag.ts';
import { ByteQueue } from '../package/byte-queue.ts';
import { FlvFormatError } from './flv-format-error.ts';

/** One tag of any type. */
export interface ReadTag {
  /** TagType, E.4.1. */
  readonly type: number;
  /** Milliseconds, 32 bits unsigned. */
  readonly timestamp: number;
  /** A view into what was pushed, as a rule. */
  readonly body: Uint8Array;
}

interface TagHeader extends Omit<ReadTag, 'body'> {
  readonly bodyBytes: number;
}

/** Incremental reader; it keeps one tag at most, 16 MiB by the format. */
export class FlvTagReader {
  readonly #queue = new ByteQueue();
  #isBegun = false;
  #header: TagHeader | undefined;

  /** Takes the next bytes, which the reader may keep; returns the tags that they complete. Throws `FlvFormatError`. */
  push(bytes: Uint8Array): readonly ReadTag[] {
    this.#queue.push(bytes);
    const tags: ReadTag[] = [];
    if (!this.#begin()) {
      return tags;
    }
    for (let tag = this.#take(); tag !== undefined; tag = this.#take()) {
      tags.push(tag);
    }
    return tags;
  }

  #begin(): boolean {
    if (this.#isBegun) {
      return true;
    }
    const header = this.#queue.take(FLV_FILE_HEADER_BYTES);
    if (header === undefined) {
      return false;
    }
    if (new TextDecoder('latin1').decode(header.subarray(0, 3)) !== 'FLV') {
      throw new FlvFormatError('the feed does not begin with an FLV header');
    }
    this.#isBegun = true;
    return true;
  }

  #take(): ReadTag | undefined {
    this.#header ??= this.#takeHeader();
    if (this.#header === undefined) {
      return undefined;
    }
    const { type, timestamp, bodyBytes } = this.#header;
    const body = this.#queue.take(bodyBytes + FLV_TAG_TRAILER_BYTES);
    if (body === undefined) {
      return undefined;
    }
    this.#header = undefined;
    return { type, timestamp, body: body.subarray(0, bodyBytes) };
  }

  #takeHeader(): TagHeader | undefined {
    const header = this.#queue.take(FLV_TAG_HEADER_BYTES);
    if (header === undefined) {
      return undefined;
    }
    const view = new DataView(header.buffer, header.byteOffset);
    return {
      type: view.getUint8(0),
      bodyBytes: view.getUint32(0) & 0xff_ffff,
      timestamp: ((view.getUint8(7) << 24) | (view.getUint32(4) >>> 8)) >>> 0,
    };
  }
}
