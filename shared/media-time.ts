/** Quantities of media time. Time stays integer ticks until it becomes text. */

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** Seconds, fractional. */
export type Seconds = Branded<number, 'Seconds'>;
/** Milliseconds, fractional unless said otherwise. */
export type Milliseconds = Branded<number, 'Milliseconds'>;
/** Integer media time in units of a {@link Timescale}. */
export type Ticks = Branded<number, 'Ticks'>;
/** Ticks per second. */
export type Timescale = Branded<number, 'Timescale'>;
/** Position of a segment in a stream, rfc8216bis §6.2.1; equal instants in every rendition. */
export type MediaSequenceNumber = Branded<number, 'MediaSequenceNumber'>;
/** Position of a part within its segment, from 0. */
export type PartIndex = Branded<number, 'PartIndex'>;
/** Unix seconds at which a run of the packager began; it makes object keys immutable. */
export type Epoch = Branded<number, 'Epoch'>;

/** Names a number as seconds. */
export function seconds(value: number): Seconds {
  return value as Seconds;
}

/** Names a number as milliseconds. */
export function milliseconds(value: number): Milliseconds {
  return value as Milliseconds;
}

/** Names an integer as ticks. */
export function ticks(value: number): Ticks {
  return value as Ticks;
}

/** Names an integer as a timescale. */
export function timescale(value: number): Timescale {
  return value as Timescale;
}

/** Names an integer as a media sequence number. */
export function mediaSequenceNumber(value: number): MediaSequenceNumber {
  return value as MediaSequenceNumber;
}

/** Names an integer as a part index. */
export function partIndex(value: number): PartIndex {
  return value as PartIndex;
}

/** Names an integer as an epoch. */
export function epoch(value: number): Epoch {
  return value as Epoch;
}

/** Ticks per second of every video track: exact for all common frame rates, and MPEG-TS's own. */
export const VIDEO_TIMESCALE = timescale(90_000);

/** Converts ticks to seconds. */
export function ticksToSeconds(value: Ticks, scale: Timescale): Seconds {
  return seconds(value / scale);
}
