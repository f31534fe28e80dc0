/** The newest media bytes of a stream, in memory within bounds; the oldest segments go first. */

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

/** What a stream's hot media may grow to. */
export interface HotBounds {
  /** Bytes of all parts. */
  readonly bytes: number;
  /** Segments for each rendition that has an init segment. */
  readonly segments: number;
}

/** Parts of the newest segments, and the init segments, which are small and always kept. */
export class HotMedia {
  readonly #bounds: HotBounds;
  /** In the order in which the segments began. */
  readonly #segments = new Map<string, HotSegment>();
  readonly #inits = new Map<string, Map<number, Uint8Array<ArrayBuffer>>>();
  #bytes = 0;

  constructor(bounds: HotBounds) {
    this.#bounds = bounds;
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
    this.#makeRoom();
  }

  #makeRoom(): void {
    const maxSegments = this.#bounds.segments * Math.max(1, this.#inits.size);
    for (const [oldest, { bytes }] of this.#segments) {
      if (this.#bytes <= this.#bounds.bytes && this.#segments.size <= maxSegments) {
        return;
      }
      this.#segments.delete(oldest);
      this.#bytes -= bytes;
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
