/**
 * The live window as rows: what changed between two windows, and a window made of rows again. One row for the
 * epoch, one for each listed segment, so that a published part rewrites one small row.
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

/** A row of the segment table; `epoch` and `nextSeq` are those of the window when it was written. */
export interface SegmentRow {
  readonly rendition: string;
  readonly msn: number;
  readonly epoch: number;
  readonly nextSeq: number;
  readonly body: string;
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
  /** For each rendition, the first segment that stays. */
  readonly keepFrom: ReadonlyMap<string, number>;
  /** Renditions of which nothing stays. */
  readonly dropped: readonly string[];
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
  /** Duration of a gap, microseconds. */
  gap: count.optional(),
});

/** Says what to write after `before` (what storage holds) has become `after`. */
export function changesBetween(before: LiveWindow | undefined, after: LiveWindow): WindowChanges {
  const segments: SegmentRow[] = [];
  const keepFrom = new Map<string, number>();
  for (const [name, rendition] of after.renditions) {
    const earlier = before?.renditions.get(name);
    if (earlier !== rendition) {
      segments.push(...changedSegments(name, earlier, rendition, after));
    }
    const first = firstMsn(rendition);
    if (earlier === undefined || firstMsn(earlier) !== first) {
      keepFrom.set(name, first);
    }
  }
  const dropped = [...(before?.renditions.keys() ?? [])].filter((name) => !after.renditions.has(name));
  const sameEpoch = before?.epoch === after.epoch && before.ended === after.ended;
  return { epochRow: sameEpoch ? undefined : epochRow(after), segments, keepFrom, dropped };
}

function firstMsn(rendition: RenditionWindow): number {
  return rendition.segments[0]?.msn ?? rendition.nextMsn;
}

/** Complete segments never change: only those behind the earlier ones are written, and the open one. */
function changedSegments(
  rendition: string,
  earlier: RenditionWindow | undefined,
  later: RenditionWindow,
  window: LiveWindow,
): SegmentRow[] {
  const written = earlier?.segments.at(-1)?.msn ?? -1;
  const fresh = later.segments.filter((segment) => segment.msn > written);
  const rows = fresh.map((segment) => segmentRow(rendition, segment, window, true));
  if (later.open !== undefined && later.open !== earlier?.open) {
    rows.push(segmentRow(rendition, later.open, window, false));
  }
  return rows;
}

function segmentRow(
  rendition: string,
  segment: OpenSegment | LiveSegment,
  { epoch, nextSeq }: LiveWindow,
  complete: boolean,
): SegmentRow {
  const body: z.infer<typeof segmentBodySchema> = {
    epoch: segment.epoch,
    mapEpoch: segment.mapEpoch,
    discontinuitySequence: segment.discontinuitySequence,
    discontinuity: segment.discontinuity,
    programDateTime: segment.programDateTime,
    parts: segment.parts.map((part) => [part.durationMicros, part.independent, part.bytes]),
    complete,
    gap: 'gap' in segment && segment.gap ? segment.durationMicros : undefined,
  };
  return { rendition, msn: segment.msn, epoch, nextSeq, body: JSON.stringify(body) };
}

function epochRow(window: LiveWindow): string {
  const { epoch, nextSeq, discontinuitySequence, ended, begin } = window;
  const renditions = [...window.renditions.values()].map(
    ({ description, active, initEpoch, nextMsn }): z.infer<typeof epochRowSchema>['renditions'][number] => ({
      description,
      active,
      initEpoch,
      nextMsn,
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

/** Makes the window of its rows; throws `StoredWindowError` where they make none. */
export function restoreWindow(rows: {
  readonly epochRow: string;
  /** Ordered by number within a rendition. */
  readonly segments: Iterable<SegmentRow>;
  readonly inits: Iterable<Omit<InitRow, 'bytes'>>;
}): LiveWindow {
  const stored = epochRowSchema.safeParse(JSON.parse(rows.epochRow));
  if (!stored.success || stored.data.begin.kind !== 'begin') {
    throw new StoredWindowError('the stored epoch row is unreadable; delete the object to start anew');
  }
  const { begin, renditions: described, ...rest } = stored.data;
  const renditions = new Map<string, RenditionWindow>();
  for (const { initEpoch, ...each } of described) {
    renditions.set(each.description.name, { ...each, initEpoch, segments: [], open: undefined });
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
      renditions.set(name, restoreSegments(rendition, list));
    }
    for (const row of list) {
      nextSeq = row.epoch === rest.epoch ? Math.max(nextSeq, row.nextSeq) : nextSeq;
    }
  }
  return { ...rest, nextSeq, begin, renditions };
}

function restoreSegments(rendition: RenditionWindow, rows: readonly SegmentRow[]): RenditionWindow {
  const segments: LiveSegment[] = [];
  let open: OpenSegment | undefined;
  for (const row of rows) {
    const body = segmentBodySchema.safeParse(JSON.parse(row.body));
    if (!body.success) {
      throw new StoredWindowError(`stored segment ${row.msn} is unreadable; delete the object to start anew`);
    }
    const { complete, gap, parts, mapEpoch, ...rest } = body.data;
    const segment: OpenSegment = {
      ...rest,
      mapEpoch,
      msn: row.msn,
      parts: parts.map(([durationMicros, independent, bytes]) => ({ durationMicros, independent, bytes })),
    };
    if (!complete) {
      open = segment;
    } else if (gap === undefined) {
      segments.push(completeSegment(segment));
    } else {
      segments.push({ ...segment, durationMicros: gap, bytes: 0, gap: true });
    }
  }
  const behind = (segments.at(-1)?.msn ?? -1) + 1;
  return { ...rendition, segments, open, nextMsn: Math.max(rendition.nextMsn, behind) };
}
