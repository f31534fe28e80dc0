/** What the playlists of a stream name: what nobody may delete from object storage. */

import type { Listed } from '#shared/wire/publish.ts';
import { firstWithParts } from './describe-playlists.ts';
import type { LiveWindow } from './live-window.ts';
import { firstSegment } from './segment-list.ts';

interface Position {
  readonly epoch: number;
  readonly msn: number;
}

/** Where the oldest of the playlists begins, and the oldest of their parts. */
export function describeListed(window: LiveWindow): Listed {
  const { begin } = window;
  const renditions = [...window.renditions.values()];
  const end = { epoch: window.epoch, msn: begin.firstMsn };
  const oldest = oldestOf(renditions.map((one) => firstSegment(one.segments) ?? one.open)) ?? end;
  const parts = oldestOf(renditions.map((one) => firstWithParts(window, one))) ?? end;
  return {
    epoch: oldest.epoch,
    msn: oldest.msn,
    partsEpoch: parts.epoch,
    partsMsn: parts.msn,
    targetDuration: begin.targetDuration,
    windowSeconds: begin.windowSegments * begin.targetDuration,
  };
}

function oldestOf(positions: readonly (Position | undefined)[]): Position | undefined {
  let oldest: Position | undefined;
  for (const position of positions) {
    if (position !== undefined && (oldest === undefined || isBefore(position, oldest))) {
      oldest = position;
    }
  }
  return oldest;
}

function isBefore(one: Position, other: Position): boolean {
  return one.epoch < other.epoch || (one.epoch === other.epoch && one.msn < other.msn);
}
