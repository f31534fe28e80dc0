/** EXT-X-PROGRAM-DATE-TIME, rfc8216bis §4.4.4.6: the wall clock of the next segment's first sample. */

import { parseDate, renderDate } from '../syntax.ts';

/** EXT-X-PROGRAM-DATE-TIME. */
export interface ProgramDateTimeTag {
  readonly kind: 'program-date-time';
  /** Unix milliseconds, whole. */
  readonly at: number;
}

/** Renders EXT-X-PROGRAM-DATE-TIME. */
export function renderProgramDateTime(tag: ProgramDateTimeTag): string {
  return `#EXT-X-PROGRAM-DATE-TIME:${renderDate(tag.at)}`;
}

/** Reads the text after `#EXT-X-PROGRAM-DATE-TIME:`. */
export function parseProgramDateTime(text: string): ProgramDateTimeTag {
  return { kind: 'program-date-time', at: parseDate(text, 'EXT-X-PROGRAM-DATE-TIME') };
}
