/** When a media playlist request is answered: blocking reload, rfc8216bis §6.2.5.2. */

import type { Directives } from './directives.ts';
import { hasMedia, type LiveWindow, type RenditionWindow } from './live-window.ts';
import { segmentAt } from './segment-list.ts';

/** How far beyond the last segment a request may ask before it is a mistake. */
const MAX_SEGMENTS_AHEAD = 2;

/** What happens to a media playlist request. */
export type ReloadDecision =
  | { readonly kind: 'now' }
  | { readonly kind: 'hold' }
  /** Asks for a segment that is too far away: 400. */
  | { readonly kind: 'too-far'; readonly lastMsn: number }
  /** Nothing of the stream can be played yet, or there is no such rendition: 404. */
  | { readonly kind: 'absent' };

/** Decides on a request for a media playlist. */
export function decideReload(
  window: LiveWindow,
  name: string,
  directives: Pick<Directives, 'msn' | 'part'>,
): ReloadDecision {
  const rendition = window.renditions.get(name);
  if (rendition === undefined || ![...window.renditions.values()].some(hasMedia)) {
    return { kind: 'absent' };
  }
  if (window.ended || !rendition.active) {
    return hasMedia(rendition) ? { kind: 'now' } : { kind: 'absent' };
  }
  const lastMsn = rendition.nextMsn - 1;
  const { msn, part } = directives;
  if (msn !== undefined && msn > lastMsn + MAX_SEGMENTS_AHEAD) {
    return { kind: 'too-far', lastMsn };
  }
  // A rendition that the multivariant playlist already names answers with its first part, not with an error.
  if (!hasMedia(rendition)) {
    return { kind: 'hold' };
  }
  return msn === undefined || hasReached(rendition, msn, part) ? { kind: 'now' } : { kind: 'hold' };
}

/** Share of a part target for which the newest part is as good as new to a player that joins. */
const FRESH_SHARE = 0.25;
/** Part targets after which the next part is late rather than on its way: nobody waits for it to join. */
const LATE_SHARE = 1.5;

/**
 * Milliseconds for which a reload without directives waits for the next part; 0 where it is answered at once.
 * Such a playlist is where a player joins, and a player stays as far behind as the playlist was old: a moment's
 * wait, at most one part's, is worth as much latency for as long as it plays. Times are in milliseconds.
 */
export function joinWait(sinceLastPart: number, partTarget: number): number {
  const isFresh = sinceLastPart <= FRESH_SHARE * partTarget;
  return isFresh ? 0 : Math.max(0, LATE_SHARE * partTarget - sinceLastPart);
}

/** Whether the segment is complete, or the part is there; a part past the last means part 0 of the next. */
function hasReached(rendition: RenditionWindow, msn: number, part: number | undefined): boolean {
  if (msn >= rendition.nextMsn) {
    const parts = rendition.open?.parts.length ?? 0;
    return msn === rendition.nextMsn && part !== undefined && part < parts;
  }
  const segment = segmentAt(rendition.segments, msn);
  if (part === undefined || segment === undefined || part < segment.partCount) {
    return true;
  }
  return msn + 1 < rendition.nextMsn || rendition.open !== undefined;
}
