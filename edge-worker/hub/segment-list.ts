/**
 * The complete segments of a rendition, up to twelve hours of them: an immutable value that shares what it can with
 * the one before. The newest segments, whose parts players may still want, are objects (the tail); older ones lie
 * frozen in chunks of plain numbers, so that a published part costs the same whatever the window's length.
 */

import type { LiveSegment } from './live-window.ts';

/** Segments of a chunk: few enough to render the rest anew at each update, many enough that chunks are few. */
export const CHUNK_SEGMENTS = 32;

/** {@link CHUNK_SEGMENTS} consecutive segments that never change again. */
export interface SegmentChunk {
  readonly firstMsn: number;
  /** {@link COLUMNS} numbers for each segment; {@link readFrozen} knows their order. */
  readonly columns: Float64Array<ArrayBuffer>;
}

/** Listed segments, their numbers without a gap. */
export interface SegmentList {
  /** Media sequence number of the first that is listed; meaningless in an empty list. */
  readonly firstMsn: number;
  /** Consecutive; the first may begin with segments that are no longer listed. */
  readonly chunks: readonly SegmentChunk[];
  /** What follows the chunks. */
  readonly tail: readonly LiveSegment[];
}

/** How far a list reaches. */
export interface ListLimits {
  /** Segments that are listed. */
  readonly segments: number;
  /** Segments that end so far before the list's end no longer change, microseconds. */
  readonly frozenBeyondMicros: number;
}

/** Date, duration, bytes, parts and flags, epoch, epoch of the init segment, discontinuity sequence number. */
const COLUMNS = 7;
const DISCONTINUITY = 1;
const GAP = 2;
/** Flags have two bits, the number of parts those above. */
const FLAGS = 4;
/** Stands for an init segment that never was. */
const NO_EPOCH = -1;

/** A list without segments. */
export const EMPTY_LIST: SegmentList = { firstMsn: 0, chunks: [], tail: [] };

/** How many segments are listed. */
export function countSegments(list: SegmentList): number {
  return frozenCount(list) + list.tail.length;
}

/** How many of the listed segments are frozen. */
export function frozenCount(list: SegmentList): number {
  const [first] = list.chunks;
  return first === undefined ? 0 : first.firstMsn + list.chunks.length * CHUNK_SEGMENTS - list.firstMsn;
}

/** The first listed segment. */
export function firstSegment(list: SegmentList): LiveSegment | undefined {
  return segmentAt(list, list.firstMsn);
}

/** The newest listed segment; what is newest is never frozen. */
export function lastSegment(list: SegmentList): LiveSegment | undefined {
  return list.tail.at(-1);
}

/** The listed segment with this number. */
export function segmentAt(list: SegmentList, msn: number): LiveSegment | undefined {
  if (msn < list.firstMsn) {
    return undefined;
  }
  const [tail] = list.tail;
  if (tail !== undefined && msn >= tail.msn) {
    return list.tail[msn - tail.msn];
  }
  const start = list.chunks[0]?.firstMsn ?? msn;
  const chunk = list.chunks[Math.floor((msn - start) / CHUNK_SEGMENTS)];
  return chunk === undefined ? undefined : readFrozen(chunk, (msn - start) % CHUNK_SEGMENTS);
}

/** All listed segments as objects, oldest first: as many as the window is long. */
export function allSegments(list: SegmentList): LiveSegment[] {
  const frozen = list.chunks.flatMap((chunk) =>
    Array.from({ length: CHUNK_SEGMENTS }, (_, index) => readFrozen(chunk, index)),
  );
  return [...frozen.filter((segment) => segment.msn >= list.firstMsn), ...list.tail];
}

/** Appends the next segment, freezes what has grown old and lets the oldest go. */
export function appendTo(list: SegmentList, segment: LiveSegment, limits: ListLimits): SegmentList {
  const firstMsn = list.tail.length === 0 ? segment.msn : list.firstMsn;
  const grown = freezeOldest({ ...list, firstMsn, tail: [...list.tail, segment] }, limits);
  return keepNewest(grown, limits.segments);
}

/** Keeps the newest `count` segments. */
export function keepNewest(list: SegmentList, count: number): SegmentList {
  const excess = countSegments(list) - count;
  if (excess <= 0) {
    return list;
  }
  const firstMsn = list.firstMsn + excess;
  const gone = list.chunks.findIndex((chunk) => chunk.firstMsn + CHUNK_SEGMENTS > firstMsn);
  const chunks = gone === 0 ? list.chunks : list.chunks.slice(gone < 0 ? list.chunks.length : gone);
  const tail = (list.tail[0]?.msn ?? firstMsn) < firstMsn ? list.tail.slice(-count) : list.tail;
  return { firstMsn, chunks, tail };
}

/** A chunk's memory is bounded by its size; the tail is by what lies before the boundary, and by the window. */
function freezeOldest(list: SegmentList, { frozenBeyondMicros }: ListLimits): SegmentList {
  let behind = 0;
  for (let index = CHUNK_SEGMENTS; index < list.tail.length; index += 1) {
    behind += list.tail[index]?.durationMicros ?? 0;
  }
  if (list.tail.length <= CHUNK_SEGMENTS || behind < frozenBeyondMicros) {
    return list;
  }
  const chunk = freeze(list.tail.slice(0, CHUNK_SEGMENTS));
  return { ...list, chunks: [...list.chunks, chunk], tail: list.tail.slice(CHUNK_SEGMENTS) };
}

function freeze(segments: readonly LiveSegment[]): SegmentChunk {
  const columns = new Float64Array(CHUNK_SEGMENTS * COLUMNS);
  for (const [index, segment] of segments.entries()) {
    const { programDateTime, durationMicros, bytes, partCount, epoch, mapEpoch } = segment;
    const flags = (segment.discontinuity ? DISCONTINUITY : 0) + (segment.gap ? GAP : 0);
    columns.set(
      [
        programDateTime,
        durationMicros,
        bytes,
        partCount * FLAGS + flags,
        epoch,
        mapEpoch ?? NO_EPOCH,
        segment.discontinuitySequence,
      ],
      index * COLUMNS,
    );
  }
  return { firstMsn: segments[0]?.msn ?? 0, columns };
}

/** Reads a segment of a chunk; its parts are no longer told apart. */
export function readFrozen({ firstMsn, columns }: SegmentChunk, index: number): LiveSegment {
  const at = index * COLUMNS;
  const column = (offset: number): number => columns[at + offset] ?? 0;
  const mapEpoch = column(5);
  const flags = column(3) % FLAGS;
  return {
    msn: firstMsn + index,
    programDateTime: column(0),
    durationMicros: column(1),
    bytes: column(2),
    partCount: Math.floor(column(3) / FLAGS),
    parts: [],
    epoch: column(4),
    mapEpoch: mapEpoch === NO_EPOCH ? undefined : mapEpoch,
    discontinuitySequence: column(6),
    discontinuity: (flags & DISCONTINUITY) !== 0,
    gap: (flags & GAP) !== 0,
  };
}

/** A chunk's numbers as bytes of this platform's order, which is little-endian wherever Workers run. */
export function encodeChunk(chunk: SegmentChunk): Uint8Array<ArrayBuffer> {
  return new Uint8Array(chunk.columns.buffer);
}

/** Makes a chunk of what {@link encodeChunk} made; `undefined` where the bytes are none. */
export function decodeChunk(firstMsn: number, bytes: ArrayBuffer): SegmentChunk | undefined {
  if (bytes.byteLength !== CHUNK_SEGMENTS * COLUMNS * Float64Array.BYTES_PER_ELEMENT) {
    return undefined;
  }
  return { firstMsn, columns: new Float64Array(bytes) };
}
