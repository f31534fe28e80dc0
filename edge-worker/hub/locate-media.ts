/** Where a media file is that a player asks for. */

import type { MediaFile } from '#shared/identifiers.ts';
import type { LiveWindow, RenditionWindow } from './live-window.ts';
import { expectNextPart } from './next-part.ts';
import { segmentAt } from './segment-list.ts';

/** Where a media file is. */
export type MediaLocation =
  /** It was published: in memory while it is hot, in object storage always. */
  | 'published'
  /** It is hinted and held until it is whole, rfc8216bis §6.2.6. */
  | 'hinted'
  /** It may be older than the window: object storage knows. */
  | 'older'
  /** It never was, or is not yet. */
  | 'absent';

/** Says where a media file of a rendition is. */
export function locateMedia(window: LiveWindow, name: string, file: MediaFile): MediaLocation {
  if (file.epoch > window.epoch) {
    return 'absent';
  }
  const rendition = window.renditions.get(name);
  if (rendition === undefined) {
    return file.epoch < window.epoch ? 'older' : 'absent';
  }
  if (file.kind === 'init') {
    return locateInit(window, rendition, file.epoch);
  }
  const current = file.epoch === window.epoch;
  if (current && rendition.active && file.msn >= rendition.nextMsn) {
    return file.msn === rendition.nextMsn
      ? locateOpen(window, rendition, file)
      : locateNext(window, rendition, file);
  }
  const segment = segmentAt(rendition.segments, file.msn);
  if (segment === undefined) {
    const floor = current ? window.begin.firstMsn : 0;
    return file.msn < rendition.nextMsn && file.msn >= floor ? 'older' : 'absent';
  }
  const there =
    segment.epoch === file.epoch &&
    !segment.gap &&
    (file.kind === 'segment' || file.part < segment.partCount);
  return there ? 'published' : 'absent';
}

function locateInit(window: LiveWindow, rendition: RenditionWindow, epoch: number): MediaLocation {
  if (epoch < window.epoch) {
    return 'older';
  }
  if (rendition.initEpoch === epoch) {
    return 'published';
  }
  return rendition.active && !window.ended ? 'hinted' : 'absent';
}

/** The first part of the segment after the open one is held once it is hinted. */
function locateNext(
  window: LiveWindow,
  rendition: RenditionWindow,
  file: Exclude<MediaFile, { kind: 'init' }>,
): MediaLocation {
  const next = expectNextPart(window, rendition);
  const hinted = file.kind === 'part' && file.msn === next.msn && file.part === next.part;
  return hinted && !window.ended ? 'hinted' : 'absent';
}

function locateOpen(
  window: LiveWindow,
  rendition: RenditionWindow,
  file: Exclude<MediaFile, { kind: 'init' }>,
): MediaLocation {
  const parts = rendition.open?.parts.length ?? 0;
  if (file.kind === 'segment' || file.part > parts) {
    return 'absent';
  }
  if (file.part < parts) {
    return 'published';
  }
  return window.ended ? 'absent' : 'hinted';
}
