/** Puts boxes together, ISO/IEC 14496-12 §4.2. */

/** Bytes of a box's size and type. */
export const BOX_HEADER_BYTES = 8;
const INITIAL_CAPACITY = 64;

/** Collects big-endian fields. */
export class FieldWriter {
  #bytes = new Uint8Array(INITIAL_CAPACITY);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Appends unsigned bytes. */
  u8(...values: readonly number[]): this {
    for (const value of values) {
      const at = this.#reserve(1);
      this.#view.setUint8(at, value);
    }
    return this;
  }

  /** Appends unsigned 16-bit integers. */
  u16(...values: readonly number[]): this {
    for (const value of values) {
      const at = this.#reserve(2);
      this.#view.setUint16(at, value);
    }
    return this;
  }

  /** Appends unsigned 32-bit integers. */
  u32(...values: readonly number[]): this {
    for (const value of values) {
      const at = this.#reserve(4);
      this.#view.setUint32(at, value);
    }
    return this;
  }

  /** Appends a signed 32-bit integer. */
  i32(value: number): this {
    const at = this.#reserve(4);
    this.#view.setInt32(at, value);
    return this;
  }

  /** Appends an unsigned 64-bit integer. */
  u64(value: number): this {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, BigInt(value));
    return this;
  }

  /** Appends Latin text without a terminator, such as a four-character code. */
  text(value: string): this {
    for (let index = 0; index < value.length; index += 1) {
      this.u8(value.charCodeAt(index));
    }
    return this;
  }

  /** Appends bytes. */
  bytes(value: Uint8Array): this {
    const start = this.#reserve(value.length);
    this.#bytes.set(value, start);
    return this;
  }

  /** What was appended so far, as a view. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(length: number): number {
    const start = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return start;
  }
}

/** Writes a box around its content. */
export function writeBox(type: string, ...content: readonly Uint8Array[]): Uint8Array {
  const size = content.reduce((sum, bytes) => sum + bytes.length, BOX_HEADER_BYTES);
  const writer = new FieldWriter().u32(size).text(type);
  for (const bytes of content) {
    writer.bytes(bytes);
  }
  return writer.finish();
}

/** Starts the content of a full box: version and flags. */
export function fullBoxFields(version: number, flags: number): FieldWriter {
  return new FieldWriter().u32(version * 0x100_0000 + flags);
}
