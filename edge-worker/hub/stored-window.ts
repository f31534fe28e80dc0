/**
 * The live window as rows: what changed between two windows, and a window made of rows again. One row for the
 * epoch, one for each segment of a list's tail, so that a published part rewrites one small row, and one for each
 * frozen chunk, so that twelve hours are few rows and read in no time.
 */

import { z } from 'zod';
import { renditionSchema, publishUpdateSchema } from '#shared/wire/publish.ts';
import {
  completeSegment,
  type LiveSegment,
  type LiveWindow,
  type OpenSegment,
  type RenditionWindow,
} from './live-window.ts';
import { EMPTY_LIST, encodeChunk, lastSegment, type SegmentChunk } from './segment-list.ts';

/** A row of the segment table; `epoch` and `nextSeq` are those of the window when it was written. */
export interface SegmentRow {
  readonly rendition: string;
  readonly msn: number;
  readonly epoch: number;
  readonly nextSeq: number;
  readonly body: string;
}

/** A row of the chunk table. */
export interface ChunkRow {
  readonly rendition: string;
  /** Of the chunk's first segment. */
  readonly msn: number;
  readonly body: Uint8Array;
}

/** An init segment, kept with its bytes. */
export interface InitRow {
  readonly rendition: string;
  readonly epoch: number;
  readonly nextSeq: number;
  readonly bytes: Uint8Array;
}

/** What to write so that storage holds the later of two windows. */
export interface WindowChanges {
  /** The row of the epoch, where it changed. */
  readonly epochRow: string | undefined;
  readonly segments: readonly SegmentRow[];
  readonly chunks: readonly ChunkRow[];
  /** For each rendition of which rows go, the first of both tables that stay. */
  readonly keepFrom: ReadonlyMap<string, KeptRows>;
  /** Renditions of which nothing stays. */
  readonly dropped: readonly string[];
}

/** The media sequence numbers from which on rows stay. */
interface KeptRows {
  readonly segments: number;
  readonly chunks: number;
}

/** Thrown where stored rows are not what this code writes. */
class StoredWindowError extends Error {
  override readonly name = 'StoredWindowError';
  readonly code = 'stored-window';
}

const count = z.int().min(0);
const epochRowSchema = z.object({
  epoch: count,
  nextSeq: count,
  discontinuitySequence: count,
  ended: z.boolean(),
  begin: publishUpdateSchema,
  renditions: z.array(
    z.object({
      description: renditionSchema,
      active: z.boolean(),
      initEpoch: count.optional(),
      nextMsn: count,
      firstMsn: count.default(0),
    }),
  ),
});
const segmentBodySchema = z.object({
  epoch: count,
  mapEpoch: count.optional(),
  discontinuitySequence: count,
  discontinuity: z.boolean(),
  programDateTime: z.number(),
  /** Duration in microseconds, independent, bytes. */
  parts: z.array(z.tuple([count, z.boolean(), count])),
  complete: z.boolean(),
  /** The first number that was listed when this was written; it only ever grows. */
  firstMsn: count.default(0),
  /** Duration of a gap, microseconds. */
  gap: count.optional(),
});

/** Says what to write after `before` (what storage holds) has become `after`. */
export function changesBetween(before: LiveWindow | undefined, after: LiveWindow): WindowChanges {
  const segments: SegmentRow[] = [];
  const chunks: ChunkRow[] = [];
  const keepFrom = new Map<string, KeptRows>();
  for (const [name, rendition] of after.renditions) {
    const earlier = before?.renditions.get(name);
    if (earlier !== rendition) {
      segments.push(...changedSegments(name, earlier, rendition, after));
      chunks.push(...newChunks(name, earlier, rendition));
    }
    const kept = keptRows(rendition);
    const keptBefore = earlier === undefined ? undefined : keptRows(earlier);
    if (keptBefore?.segments !== kept.segments || keptBefore.chunks !== kept.chunks) {
      keepFrom.set(name, kept);
    }
  }
  const dropped = [...(before?.renditions.keys() ?? [])].filter((name) => !after.renditions.has(name));
  const sameEpoch = before?.epoch === after.epoch && before.ended === after.ended;
  return { epochRow: sameEpoch ? undefined : epochRow(after), segments, chunks, keepFrom, dropped };
}

function keptRows({ segments: { tail, chunks }, nextMsn }: RenditionWindow): KeptRows {
  const first = tail[0]?.msn ?? nextMsn;
  return { segments: first, chunks: chunks[0]?.firstMsn ?? first };
}

/** Complete segments never change: only those behind the earlier ones are written, and the open one. */
function changedSegments(
  rendition: string,
  earlier: RenditionWindow | undefined,
  later: RenditionWindow,
  window: LiveWindow,
): SegmentRow[] {
  const { firstMsn, tail } = later.segments;
  const written = (earlier === undefined ? undefined : lastSegment(earlier.segments)?.msn) ?? -1;
  const fresh = tail.filter((segment) => segment.msn > written);
  const rows = fresh.map((segment) => segmentRow({ rendition, segment, window, firstMsn, complete: true }));
  if (later.open !== undefined && later.open !== earlier?.open) {
    rows.push(segmentRow({ rendition, segment: later.open, window, firstMsn, complete: false }));
  }
  return rows;
}

function newChunks(
  rendition: string,
  earlier: RenditionWindow | undefined,
  { segments }: RenditionWindow,
): ChunkRow[] {
  const written = earlier?.segments.chunks.at(-1)?.firstMsn ?? -1;
  return segments.chunks
    .slice(segments.chunks.findLastIndex((chunk) => chunk.firstMsn <= written) + 1)
    .map((chunk) => ({ rendition, msn: chunk.firstMsn, body: encodeChunk(chunk) }));
}

interface SegmentToWrite {
  readonly rendition: string;
  readonly segment: OpenSegment | LiveSegment;
  readonly window: LiveWindow;
  readonly firstMsn: number;
  readonly complete: boolean;
}

function segmentRow(row: SegmentToWrite): SegmentRow {
  const { rendition, segment, firstMsn, complete } = row;
  const { epoch, nextSeq } = row.window;
  const body: z.infer<typeof segmentBodySchema> = {
    epoch: segment.epoch,
    mapEpoch: segment.mapEpoch,
    discontinuitySequence: segment.discontinuitySequence,
    discontinuity: segment.discontinuity,
    programDateTime: segment.programDateTime,
    parts: segment.parts.map((part) => [part.durationMicros, part.independent, part.bytes]),
    complete,
    firstMsn,
    gap: 'gap' in segment && segment.gap ? segment.durationMicros : undefined,
  };
  return { rendition, msn: segment.msn, epoch, nextSeq, body: JSON.stringify(body) };
}

function epochRow(window: LiveWindow): string {
  const { epoch, nextSeq, discontinuitySequence, ended, begin } = window;
  const renditions = [...window.renditions.values()].map(
    ({
      description,
      active,
      initEpoch,
      nextMsn,
      segments,
    }): z.infer<typeof epochRowSchema>['renditions'][number] => ({
      description,
      active,
      initEpoch,
      nextMsn,
      firstMsn: segments.firstMsn,
    }),
  );
  const row: z.infer<typeof epochRowSchema> = {
    epoch,
    nextSeq,
    discontinuitySequence,
    ended,
    begin,
    renditions,
  };
  return JSON.stringify(row);
}

/** The rows of a stream. */
export interface StoredRows {
  readonly epochRow: string;
  /** Ordered by number within a rendition. */
  readonly segments: Iterable<SegmentRow>;
  /** By rendition, ordered by number. */
  readonly chunks: ReadonlyMap<string, readonly SegmentChunk[]>;
  readonly inits: Iterable<Omit<InitRow, 'bytes'>>;
}

/** Makes the window of its rows; throws `StoredWindowError` where they make none. */
export function restoreWindow(rows: StoredRows): LiveWindow {
  const stored = epochRowSchema.safeParse(JSON.parse(rows.epochRow));
  if (!stored.success || stored.data.begin.kind !== 'begin') {
    throw new StoredWindowError('the stored epoch row is unreadable; delete the object to start anew');
  }
  const { begin, renditions: described, ...rest } = stored.data;
  const renditions = new Map<string, RenditionWindow>();
  for (const { initEpoch, firstMsn, ...each } of described) {
    const segments = { ...EMPTY_LIST, firstMsn };
    renditions.set(each.description.name, { ...each, initEpoch, segments, open: undefined });
  }
  let nextSeq = rest.nextSeq;
  for (const init of rows.inits) {
    const rendition = renditions.get(init.rendition);
    if (rendition !== undefined) {
      const initEpoch = Math.max(rendition.initEpoch ?? 0, init.epoch);
      renditions.set(init.rendition, { ...rendition, initEpoch });
    }
    nextSeq = init.epoch === rest.epoch ? Math.max(nextSeq, init.nextSeq) : nextSeq;
  }
  for (const [name, list] of Map.groupBy(rows.segments, (row) => row.rendition)) {
    const rendition = renditions.get(name);
    if (rendition !== undefined) {
      renditions.set(name, restoreSegments(rendition, rows.chunks.get(name) ?? [], list));
    }
    for (const row of list) {
      nextSeq = row.epoch === rest.epoch ? Math.max(nextSeq, row.nextSeq) : nextSeq;
    }
  }
  return { ...rest, nextSeq, begin, renditions };
}

/** What is listed begins where the newest row says; a row or a chunk may still hold what is listed no longer. */
function restoreSegments(
  rendition: RenditionWindow,
  chunks: readonly SegmentChunk[],
  rows: readonly SegmentRow[],
): RenditionWindow {
  const tail: LiveSegment[] = [];
  let open: OpenSegment | undefined;
  let { firstMsn } = rendition.segments;
  for (const row of rows) {
    const read = readSegmentRow(row);
    firstMsn = Math.max(firstMsn, read.firstMsn);
    if (read.complete) {
      tail.push(read.segment);
    } else {
      open = read.segment;
    }
  }
  const behind = (tail.at(-1)?.msn ?? -1) + 1;
  const segments = tail.length === 0 ? EMPTY_LIST : { firstMsn, chunks, tail };
  return { ...rendition, segments, open, nextMsn: Math.max(rendition.nextMsn, behind) };
}

type ReadRow = { readonly firstMsn: number } & (
  | { readonly complete: true; readonly segment: LiveSegment }
  | { readonly complete: false; readonly segment: OpenSegment }
);

function readSegmentRow(row: SegmentRow): ReadRow {
  const body = segmentBodySchema.safeParse(JSON.parse(row.body));
  if (!body.success) {
    throw new StoredWindowError(`stored segment ${row.msn} is unreadable; delete the object to start anew`);
  }
  const { complete, firstMsn, gap, parts, mapEpoch, ...rest } = body.data;
  const open: OpenSegment = {
    ...rest,
    mapEpoch,
    msn: row.msn,
    parts: parts.map(([durationMicros, independent, bytes]) => ({ durationMicros, independent, bytes })),
  };
  if (!complete) {
    return { firstMsn, complete, segment: open };
  }
  const whole = completeSegment(open);
  const segment = gap === undefined ? whole : { ...whole, durationMicros: gap, gap: true };
  return { firstMsn, complete, segment };
}
