/** What of a stream's objects may be deleted: pure decisions about one segment, and one init segment, at a time. */

import type { ListedObject } from '../object-cleaner.ts';

/** Where a segment stands: positions ascend over all epochs of a stream. */
export interface Position {
  readonly epoch: number;
  readonly msn: number;
}

/** The objects of one segment of one rendition. */
export interface StoredSegment extends Position {
  /** Whole; `undefined` where only parts are in storage. */
  readonly whole: ListedObject | undefined;
  readonly parts: readonly ListedObject[];
}

/** What the decisions rest on. */
export interface RetentionState {
  /** Storage's clock, Unix milliseconds. */
  readonly now: number;
  /** How long a segment is kept, milliseconds; Infinity: for ever. */
  readonly keepMs: number;
  /** Segments before it are named by no playlist that a player may still hold; `undefined`: not known of any. */
  readonly unlistedBefore: Position | undefined;
  /** The same of the parts. */
  readonly partsUnlistedBefore: Position | undefined;
}

/** Youngest object that is deleted, milliseconds: no playlist names what was written before it is announced. */
export const LEAST_AGE_MS = 60_000;

/** Whether one position comes before another. */
export function isBefore(one: Position, other: Position | undefined): boolean {
  return (
    other !== undefined && (one.epoch < other.epoch || (one.epoch === other.epoch && one.msn < other.msn))
  );
}

/** Keys of a segment's objects that may go; parts stay as long as they are all there is. */
export function decideSegment(segment: StoredSegment, state: RetentionState): readonly string[] {
  const { whole, parts } = segment;
  const objects = whole === undefined ? parts : [...parts, whole];
  if (isBefore(segment, state.unlistedBefore) && areOlder(objects, state, state.keepMs)) {
    return objects.map(({ key }) => key);
  }
  const partsMayGo = whole !== undefined && isBefore(segment, state.partsUnlistedBefore);
  return partsMayGo && areOlder(objects, state, 0) ? parts.map(({ key }) => key) : [];
}

/** Whether an init segment may go: nothing of its epoch and rendition is left, and no playlist names it. */
export function mayDropInit(
  init: ListedObject & { readonly epoch: number },
  remaining: number,
  state: RetentionState,
): boolean {
  const floor = state.unlistedBefore;
  return (
    remaining === 0 &&
    floor !== undefined &&
    init.epoch < floor.epoch &&
    areOlder([init], state, state.keepMs)
  );
}

function areOlder(objects: readonly ListedObject[], { now }: RetentionState, ageMs: number): boolean {
  const age = Math.max(ageMs, LEAST_AGE_MS);
  return objects.every(({ modifiedAt }) => now - modifiedAt >= age);
}
