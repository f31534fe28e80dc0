/** The seam between two epochs: what a lost or ended encoder left open is closed, and the next begins behind it. */

import {
  appendSegment,
  completeSegment,
  hasMedia,
  nextMsnOf,
  type BeginUpdate,
  type LiveSegment,
  type LiveWindow,
  type RenditionWindow,
} from './live-window.ts';
import { EMPTY_LIST, keepNewest, lastSegment, segmentAt } from './segment-list.ts';

/**
 * Closes every open segment with the parts it has and fills what a rendition lacks with EXT-X-GAP segments, so
 * that all renditions end at one media sequence number and number n means the same time in each of them.
 */
export function closeEpoch(window: LiveWindow): LiveWindow {
  const end = nextMsnOf(window);
  const closed = new Map<string, RenditionWindow>();
  for (const [name, rendition] of window.renditions) {
    const { open } = rendition;
    closed.set(
      name,
      open === undefined ? rendition : appendSegment(rendition, completeSegment(open), window.begin),
    );
  }
  const whole = [...closed.values()];
  for (const [name, rendition] of closed) {
    if (rendition.active) {
      closed.set(name, fillGaps(rendition, window, end, whole));
    }
  }
  return { ...window, renditions: closed };
}

/** The longest segment with this number that any rendition lists. */
function longestAt(renditions: readonly RenditionWindow[], msn: number): LiveSegment | undefined {
  let longest: LiveSegment | undefined;
  for (const { segments } of renditions) {
    const segment = segmentAt(segments, msn);
    if (segment !== undefined && segment.durationMicros > (longest?.durationMicros ?? -1)) {
      longest = segment;
    }
  }
  return longest;
}

/** A rendition without any segment has nothing to keep in step and simply starts later. */
function fillGaps(
  rendition: RenditionWindow,
  window: LiveWindow,
  end: number,
  whole: readonly RenditionWindow[],
): RenditionWindow {
  if (rendition.segments.tail.length === 0) {
    return { ...rendition, nextMsn: end };
  }
  let filled = rendition;
  for (let msn = rendition.nextMsn; msn < end; msn += 1) {
    const like = longestAt(whole, msn);
    if (like === undefined) {
      // The other renditions have moved on by more than a window: nothing of this one is worth keeping.
      filled = { ...filled, segments: EMPTY_LIST, nextMsn: msn + 1 };
      continue;
    }
    const before = lastSegment(filled.segments);
    const gap: LiveSegment = {
      ...like,
      mapEpoch: rendition.initEpoch,
      discontinuitySequence: window.discontinuitySequence,
      discontinuity: before !== undefined && before.discontinuitySequence !== window.discontinuitySequence,
      parts: [],
      partCount: 0,
      bytes: 0,
      gap: true,
    };
    filled = appendSegment(filled, gap, window.begin);
  }
  return filled;
}

/**
 * Begins an epoch. The earlier window stays behind a discontinuity where the numbers run on, the stream had not
 * ended and the target durations are unchanged (EXT-X-TARGETDURATION never changes within a playlist);
 * otherwise the window starts anew, with media and discontinuity sequence numbers running on.
 */
export function beginEpoch(before: LiveWindow | undefined, epoch: number, begin: BeginUpdate): LiveWindow {
  if (before === undefined) {
    return windowOf(epoch, begin, 0, new Map());
  }
  const closed = closeEpoch(before);
  const published = [...closed.renditions.values()].some(
    (rendition) => lastSegment(rendition.segments)?.discontinuitySequence === closed.discontinuitySequence,
  );
  const sequence = closed.discontinuitySequence + (published ? 1 : 0);
  return windowOf(epoch, begin, sequence, continues(closed, begin) ? closed.renditions : new Map());
}

function continues(closed: LiveWindow, begin: BeginUpdate): boolean {
  return (
    !closed.ended &&
    begin.firstMsn === nextMsnOf(closed) &&
    begin.targetDuration === closed.begin.targetDuration &&
    begin.partTarget === closed.begin.partTarget
  );
}

function windowOf(
  epoch: number,
  begin: BeginUpdate,
  discontinuitySequence: number,
  kept: ReadonlyMap<string, RenditionWindow>,
): LiveWindow {
  const renditions = new Map<string, RenditionWindow>();
  for (const description of begin.renditions) {
    const previous = kept.get(description.name);
    const same = previous?.active === true && previous.description.kind === description.kind;
    renditions.set(description.name, {
      description,
      active: true,
      initEpoch: same ? previous.initEpoch : undefined,
      nextMsn: begin.firstMsn,
      segments: same ? keepNewest(previous.segments, begin.windowSegments) : EMPTY_LIST,
      open: undefined,
    });
  }
  for (const [name, previous] of kept) {
    if (!renditions.has(name) && previous.active && hasMedia(previous)) {
      renditions.set(name, { ...previous, active: false });
    }
  }
  return { epoch, begin, nextSeq: 1, discontinuitySequence, ended: false, renditions };
}
