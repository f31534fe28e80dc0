/** Reads bits, most significant first, with the Exp-Golomb codes of ISO/IEC 14496-10 §9.1. */

/** Thrown when a reader is asked for more bits than there are. */
export class BitReaderError extends Error {
  override readonly name = 'BitReaderError';
  readonly code = 'bits-exhausted';
}

/** A cursor over the bits of some bytes. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bits not yet read. */
  get remaining(): number {
    return this.#bytes.length * 8 - this.#at;
  }

  /** Reads one bit. */
  bit(): number {
    const byte = this.#bytes[this.#at >> 3];
    if (byte === undefined) {
      throw new BitReaderError(`no bit ${this.#at} in ${this.#bytes.length} bytes`);
    }
    const value = (byte >> (7 - (this.#at & 7))) & 1;
    this.#at += 1;
    return value;
  }

  /** Reads an unsigned integer of `count` bits, at most 32. */
  bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index += 1) {
      value = value * 2 + this.bit();
    }
    return value;
  }

  /** Skips `count` bits. */
  skip(count: number): void {
    if (count > this.remaining) {
      throw new BitReaderError(`cannot skip ${count} of ${this.remaining} bits`);
    }
    this.#at += count;
  }

  /** Reads ue(v). */
  unsignedExpGolomb(): number {
    let zeros = 0;
    while (this.bit() === 0) {
      zeros += 1;
      if (zeros > 31) {
        throw new BitReaderError('Exp-Golomb code longer than 32 bits');
      }
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** Reads se(v). */
  signedExpGolomb(): number {
    const code = this.unsignedExpGolomb();
    return code % 2 === 0 ? -code / 2 : (code + 1) / 2;
  }
}
