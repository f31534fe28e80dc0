/** Reads ffmpeg's fragmented MP4 from a pipe, as it arrives: tracks first, then samples. */

import { printable } from './boxes/box-tree.ts';
import { BoxReader } from './boxes/box-reader.ts';
import { BOX_HEADER_BYTES } from './boxes/box-writer.ts';
import { ByteQueue } from './byte-queue.ts';
import { readFragmentSamples } from './fragment-samples.ts';
import { readMovie, type Movie } from './movie-reader.ts';
import { Mp4FormatError } from './mp4-format-error.ts';
import type { Sample, Track } from './sample.ts';

/** What comes out of the bytes: `tracks` once, then samples in file order. */
export type FragmentEvent =
  | { readonly kind: 'tracks'; readonly tracks: readonly Track[] }
  | { readonly kind: 'sample'; readonly trackId: number; readonly sample: Sample };

/** Largest `moov` or `moof` read, bytes: headers of 64 tracks take far less. */
const MAX_HEADER_BOX_BYTES = 1024 * 1024;
/** Largest `mdat` read, bytes: four seconds at 60 Mbit/s in one fragment. */
export const MAX_MEDIA_BOX_BYTES = 32 * 1024 * 1024;
/** Size field that says a 64-bit size follows the type. */
const LARGE_SIZE = 1;
const LARGE_SIZE_BYTES = 8;
/** Boxes that carry nothing needed here. */
const SKIPPED_BOXES: ReadonlySet<string> = new Set([
  'ftyp',
  'styp',
  'free',
  'skip',
  'wide',
  'sidx',
  'ssix',
  'prft',
  'emsg',
  'mfra',
  'udta',
  'meta',
]);

interface BoxHeader {
  readonly type: string;
  readonly headerBytes: number;
  readonly contentBytes: number;
}

/** Incremental reader of one ffmpeg run; after it has thrown it is of no more use. */
export class FragmentReader {
  readonly #queue = new ByteQueue();
  #shortHeader: { readonly type: string; readonly size: number } | undefined;
  #header: BoxHeader | undefined;
  #skipLeft = 0;
  #movie: Movie | undefined;
  #moof: Uint8Array | undefined;
  /** Bytes from the start of the last `moof`. */
  #sinceMoof = 0;

  /**
   * Takes the next bytes, which the reader may keep, and returns what they complete.
   * Throws `Mp4FormatError` on anything that is no fragmented MP4, or larger than it may be.
   */
  push(bytes: Uint8Array): readonly FragmentEvent[] {
    this.#queue.push(bytes);
    const events: FragmentEvent[] = [];
    while (this.#step(events)) {
      // Each step consumes a header or a box.
    }
    return events;
  }

  #step(events: FragmentEvent[]): boolean {
    if (this.#skipLeft > 0) {
      this.#skipLeft -= this.#queue.drop(this.#skipLeft);
      return this.#skipLeft === 0 && this.#queue.length > 0;
    }
    this.#header ??= this.#readHeader();
    if (this.#header === undefined) {
      return false;
    }
    if (SKIPPED_BOXES.has(this.#header.type)) {
      this.#skipLeft = this.#header.contentBytes;
      this.#boxDone(this.#header);
      return true;
    }
    const content = this.#queue.take(this.#header.contentBytes);
    if (content === undefined) {
      return false;
    }
    this.#readContent(this.#header, content, events);
    this.#boxDone(this.#header);
    return true;
  }

  #boxDone(header: BoxHeader): void {
    this.#sinceMoof =
      (header.type === 'moof' ? 0 : this.#sinceMoof) + header.headerBytes + header.contentBytes;
    this.#header = undefined;
  }

  #readHeader(): BoxHeader | undefined {
    this.#shortHeader ??= this.#readShortHeader();
    if (this.#shortHeader === undefined) {
      return undefined;
    }
    const { type, size } = this.#shortHeader;
    if (size !== LARGE_SIZE) {
      return this.#checkedHeader(type, BOX_HEADER_BYTES, size);
    }
    const large = this.#queue.take(LARGE_SIZE_BYTES);
    return large === undefined
      ? undefined
      : this.#checkedHeader(type, BOX_HEADER_BYTES + LARGE_SIZE_BYTES, new BoxReader('file', large).u64());
  }

  #readShortHeader(): { readonly type: string; readonly size: number } | undefined {
    const bytes = this.#queue.take(BOX_HEADER_BYTES);
    if (bytes === undefined) {
      return undefined;
    }
    const reader = new BoxReader('file', bytes);
    const size = reader.u32();
    return { size, type: reader.fourCharacterCode() };
  }

  #checkedHeader(type: string, headerBytes: number, size: number): BoxHeader {
    this.#shortHeader = undefined;
    const known = SKIPPED_BOXES.has(type) || type === 'moov' || type === 'moof' || type === 'mdat';
    if (!known) {
      throw new Mp4FormatError('file', `"${printable(type)}" is no box of a fragmented MP4`);
    }
    const limit = type === 'mdat' ? MAX_MEDIA_BOX_BYTES : MAX_HEADER_BOX_BYTES;
    if (size < headerBytes || size > limit) {
      throw new Mp4FormatError(type, `size ${size} is not within ${headerBytes} to ${limit} bytes`);
    }
    return { type, headerBytes, contentBytes: size - headerBytes };
  }

  #readContent(header: BoxHeader, content: Uint8Array, events: FragmentEvent[]): void {
    switch (header.type) {
      case 'moov':
        this.#readMoov(content, events);
        return;
      case 'moof':
        this.#moof = content;
        return;
      default:
        this.#readMdat(header, content, events);
    }
  }

  #readMoov(content: Uint8Array, events: FragmentEvent[]): void {
    if (this.#movie !== undefined) {
      throw new Mp4FormatError('moov', 'a second one in the same run');
    }
    this.#movie = readMovie(content);
    events.push({ kind: 'tracks', tracks: this.#movie.tracks });
  }

  #readMdat(header: BoxHeader, mdat: Uint8Array, events: FragmentEvent[]): void {
    const movie = this.#movie;
    if (movie === undefined || this.#moof === undefined) {
      throw new Mp4FormatError('mdat', `without a ${movie === undefined ? 'moov' : 'moof'} before it`);
    }
    const mdatOffset = this.#sinceMoof + header.headerBytes;
    for (const { trackId, sample } of readFragmentSamples(
      { moof: this.#moof, mdat, mdatOffset },
      movie.defaults,
    )) {
      if (movie.tracks.some((track) => track.id === trackId)) {
        events.push({ kind: 'sample', trackId, sample });
      }
    }
    this.#moof = undefined;
  }
}
