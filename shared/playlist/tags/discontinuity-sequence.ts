/** EXT-X-DISCONTINUITY-SEQUENCE, rfc8216bis §4.4.3.3: the discontinuities that have left the playlist. */

import { parseInteger } from '../syntax.ts';

/** EXT-X-DISCONTINUITY-SEQUENCE. */
export interface DiscontinuitySequenceTag {
  readonly kind: 'discontinuity-sequence';
  readonly value: number;
}

/** Renders EXT-X-DISCONTINUITY-SEQUENCE. */
export function renderDiscontinuitySequence(tag: DiscontinuitySequenceTag): string {
  return `#EXT-X-DISCONTINUITY-SEQUENCE:${tag.value}`;
}

/** Reads the text after `#EXT-X-DISCONTINUITY-SEQUENCE:`. */
export function parseDiscontinuitySequence(text: string): DiscontinuitySequenceTag {
  return { kind: 'discontinuity-sequence', value: parseInteger(text, 'EXT-X-DISCONTINUITY-SEQUENCE') };
}
