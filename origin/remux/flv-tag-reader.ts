/** Reads FLV as it arrives, FLV 10.1 annex E. */

import {
  FLV_FILE_HEADER_BYTES,
  FLV_TAG_HEADER_BYTES,
  FLV_TAG_TRAILER_BYTES,
  readFlvTagHeader,
  type FlvTagHeader,
} from '../ingest/flv/flv-tag.ts';
import { ByteQueue } from '../package/byte-queue.ts';
import { FlvFormatError } from './flv-format-error.ts';

/** One tag of any type. */
export interface ReadTag extends Omit<FlvTagHeader, 'bodyBytes'> {
  /** A view into what was pushed, as a rule. */
  readonly body: Uint8Array;
}

/** Incremental reader; it keeps one tag at most, 16 MiB by the format. */
export class FlvTagReader {
  readonly #queue = new ByteQueue();
  #isBegun = false;
  #header: FlvTagHeader | undefined;

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

  #takeHeader(): FlvTagHeader | undefined {
    const header = this.#queue.take(FLV_TAG_HEADER_BYTES);
    return header && readFlvTagHeader(new DataView(header.buffer, header.byteOffset, header.byteLength));
  }
}
