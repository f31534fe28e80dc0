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
