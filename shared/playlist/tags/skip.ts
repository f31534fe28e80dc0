/** EXT-X-SKIP, rfc8216bis §4.4.5.2: how many of the oldest segments a delta update leaves out. */

import {
  parseAttributeList,
  renderAttributeList,
  required,
  takeInteger,
  unquoted,
} from '../attribute-list.ts';

/** EXT-X-SKIP. */
export interface SkipTag {
  readonly kind: 'skip';
  readonly skippedSegments: number;
}

/** Renders EXT-X-SKIP. */
export function renderSkip(tag: SkipTag): string {
  return `#EXT-X-SKIP:${renderAttributeList([['SKIPPED-SEGMENTS', unquoted(tag.skippedSegments)]])}`;
}

/** Reads the text after `#EXT-X-SKIP:`. */
export function parseSkip(text: string): SkipTag {
  const skippedSegments = takeInteger(parseAttributeList(text), 'SKIPPED-SEGMENTS');
  return { kind: 'skip', skippedSegments: required(skippedSegments, 'SKIPPED-SEGMENTS') };
}
