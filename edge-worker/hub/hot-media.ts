/** The newest media bytes of a stream, in memory within a budget; the oldest segments go first. */

/** Which part of which rendition. */
export interface PartAddress {
  readonly rendition: string;
  readonly epoch: number;
  readonly msn: number;
  readonly part: number;
}

interface HotSegment {
  bytes: number;
  readonly parts: Map<number, Uint8Array<ArrayBuffer>>;
}

/** Parts of the newest segments, and the init segments, which are small and always kept. */
export class HotMedia {
  readonly #budget: number;
  /** In the order in which the segments began. */
  readonly #segments = new Map<string, HotSegment>();
  readonly #inits = new Map<string, Map<number, Uint8Array<ArrayBuffer>>>();
  #bytes = 0;

  constructor(budgetBytes: number) {
    this.#budget = budgetBytes;
  }

  /** Bytes held in parts. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a copy of a part's bytes: a view would keep the whole request body alive. */
  addPart(address: PartAddress, bytes: Uint8Array): void {
    const key = segmentKey(address);
    const segment = this.#segments.get(key) ?? { bytes: 0, parts: new Map() };
    this.#segments.set(key, segment);
    segment.parts.set(address.part, new Uint8Array(bytes));
    segment.bytes += bytes.length;
    this.#bytes += bytes.length;
    for (const [oldest, { bytes: freed }] of this.#segments) {
      if (this.#bytes <= this.#budget) {
        return;
      }
      this.#segments.delete(oldest);
      this.#bytes -= freed;
    }
  }

  /** A part's bytes while they are hot. */
  part(address: PartAddress): Uint8Array<ArrayBuffer> | undefined {
    return this.#segments.get(segmentKey(address))?.parts.get(address.part);
  }

  /**
   * A whole segment of `count` parts, if every one of them is hot. Where a complete segment has left the playlist
   * its count is not known any more; then all that there are count, since only the first can be missing.
   */
  segment(address: Omit<PartAddress, 'part'>, count?: number): Uint8Array<ArrayBuffer> | undefined {
    const hot = this.#segments.get(segmentKey(address));
    if (hot === undefined || count === 0 || hot.parts.size !== (count ?? hot.parts.size)) {
      return undefined;
    }
    const whole = new Uint8Array(hot.bytes);
    let at = 0;
    for (let index = 0; index < hot.parts.size; index += 1) {
      const bytes = hot.parts.get(index);
      if (bytes === undefined) {
        return undefined;
      }
      whole.set(bytes, at);
      at += bytes.length;
    }
    return whole;
  }

  /** Keeps an init segment. */
  addInit(rendition: string, epoch: number, bytes: Uint8Array): void {
    const inits = this.#inits.get(rendition) ?? new Map<number, Uint8Array<ArrayBuffer>>();
    this.#inits.set(rendition, inits.set(epoch, new Uint8Array(bytes)));
  }

  /** An init segment's bytes. */
  init(rendition: string, epoch: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#inits.get(rendition)?.get(epoch);
  }

  /** Lets go of the init segments of epochs before the oldest that a playlist names; all where it is absent. */
  retainInits(oldestEpoch: ReadonlyMap<string, number>): void {
    for (const [rendition, inits] of this.#inits) {
      const oldest = oldestEpoch.get(rendition) ?? Infinity;
      for (const epoch of inits.keys()) {
        if (epoch < oldest) {
          inits.delete(epoch);
        }
      }
      if (inits.size === 0) {
        this.#inits.delete(rendition);
      }
    }
  }
}

function segmentKey(address: Omit<PartAddress, 'part'>): string {
  return `${address.rendition}/${address.epoch}-${address.msn}`;
}
