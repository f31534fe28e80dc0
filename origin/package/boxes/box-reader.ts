/** A bounded cursor over one box's content, ISO/IEC 14496-12 §4.2. */

import { Mp4FormatError } from '../mp4-format-error.ts';

/** Version and flags of a full box, ISO/IEC 14496-12 §4.2. */
export interface FullBoxHeader {
  readonly version: number;
  readonly flags: number;
}

/** Reads big-endian fields; every read past the end throws an `Mp4FormatError` that names the box. */
export class BoxReader {
  readonly #box: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(box: string, content: Uint8Array) {
    this.#box = box;
    this.#bytes = content;
    this.#view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  }

  /** Bytes not yet read. */
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  /** Reads an unsigned byte. */
  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  /** Reads an unsigned 16-bit integer. */
  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  /** Reads an unsigned 32-bit integer. */
  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  /** Reads a signed 32-bit integer. */
  i32(): number {
    return this.#view.getInt32(this.#advance(4));
  }

  /** Reads an unsigned 64-bit integer; throws where it exceeds what a number holds exactly. */
  u64(): number {
    const value = this.#view.getBigUint64(this.#advance(8));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw this.error(`64-bit value ${value} is out of range`);
    }
    return Number(value);
  }

  /** Reads a four-character code. */
  fourCharacterCode(): string {
    return String.fromCharCode(...this.bytes(4));
  }

  /** Reads version and flags. */
  fullBox(): FullBoxHeader {
    const word = this.u32();
    return { version: word >>> 24, flags: word & 0xff_ffff };
  }

  /** Takes `length` bytes, as a view. */
  bytes(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Skips `length` bytes. */
  skip(length: number): void {
    this.#advance(length);
  }

  /** Makes an error that names this box. */
  error(detail: string): Mp4FormatError {
    return new Mp4FormatError(this.#box, detail);
  }

  #advance(length: number): number {
    if (length > this.remaining) {
      throw this.error(`${length} bytes wanted at offset ${this.#at} of ${this.#bytes.length}`);
    }
    const start = this.#at;
    this.#at += length;
    return start;
  }
}
