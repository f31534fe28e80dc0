/** EXTINF, rfc8216bis §4.4.4.1: the duration of the next segment. */

import { parseDecimal, PlaylistSyntaxError, renderDecimal } from '../syntax.ts';

/** EXTINF. */
export interface ExtinfTag {
  readonly kind: 'extinf';
  /** Seconds. */
  readonly duration: number;
  /** Human-readable, empty for none. */
  readonly title: string;
}

/** Renders EXTINF. */
export function renderExtinf(tag: ExtinfTag): string {
  if (/[\r\n]/.test(tag.title)) {
    throw new PlaylistSyntaxError('a title cannot hold a line break');
  }
  return `#EXTINF:${renderDecimal(tag.duration)},${tag.title}`;
}

/** Reads the text after `#EXTINF:`. */
export function parseExtinf(text: string): ExtinfTag {
  const comma = text.indexOf(',');
  const duration = comma < 0 ? text : text.slice(0, comma);
  return {
    kind: 'extinf',
    duration: parseDecimal(duration, 'EXTINF'),
    title: comma < 0 ? '' : text.slice(comma + 1),
  };
}
