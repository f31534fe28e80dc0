/** Bytes as they arrive from a pipe, taken out in lengths of our own, each copied at most once. */

/** A queue of bytes; what is taken may be a view into what was pushed. */
export class ByteQueue {
  readonly #chunks: Uint8Array[] = [];
  /** Bytes of the first chunk already taken. */
  #taken = 0;
  #length = 0;

  /** Bytes that can be taken. */
  get length(): number {
    return this.#length;
  }

  /** Appends bytes, which the queue may keep. */
  push(bytes: Uint8Array): void {
    if (bytes.length > 0) {
      this.#chunks.push(bytes);
      this.#length += bytes.length;
    }
  }

  /** Takes `count` bytes, or `undefined` where there are fewer. */
  take(count: number): Uint8Array | undefined {
    if (count > this.#length) {
      return undefined;
    }
    const first = this.#chunks[0];
    if (first !== undefined && first.length - this.#taken >= count) {
      const start = this.#taken;
      this.#consume(count);
      return first.subarray(start, start + count);
    }
    return this.#gather(count);
  }

  /** Drops up to `count` bytes and returns how many there were. */
  drop(count: number): number {
    const dropped = Math.min(count, this.#length);
    let left = dropped;
    while (left > 0) {
      left -= this.#consume(left);
    }
    return dropped;
  }

  #gather(count: number): Uint8Array {
    const output = new Uint8Array(count);
    let at = 0;
    while (at < count) {
      const chunk = this.#chunks[0] ?? output.subarray(0, 0);
      const piece = chunk.subarray(this.#taken, this.#taken + count - at);
      output.set(piece, at);
      at += this.#consume(piece.length);
    }
    return output;
  }

  /** Takes at most what is left of the first chunk. */
  #consume(count: number): number {
    const first = this.#chunks[0];
    const available = (first?.length ?? 0) - this.#taken;
    const consumed = Math.min(count, available);
    this.#taken += consumed;
    this.#length -= consumed;
    if (consumed === available) {
      this.#chunks.shift();
      this.#taken = 0;
    }
    return consumed;
  }
}
