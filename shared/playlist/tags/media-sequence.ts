/** EXT-X-MEDIA-SEQUENCE, rfc8216bis §4.4.3.2: the media sequence number of the first segment. */

import { parseInteger } from '../syntax.ts';

/** EXT-X-MEDIA-SEQUENCE. */
export interface MediaSequenceTag {
  readonly kind: 'media-sequence';
  readonly value: number;
}

/** Renders EXT-X-MEDIA-SEQUENCE. */
export function renderMediaSequence(tag: MediaSequenceTag): string {
  return `#EXT-X-MEDIA-SEQUENCE:${tag.value}`;
}

/** Reads the text after `#EXT-X-MEDIA-SEQUENCE:`. */
export function parseMediaSequence(text: string): MediaSequenceTag {
  return { kind: 'media-sequence', value: parseInteger(text, 'EXT-X-MEDIA-SEQUENCE') };
}
