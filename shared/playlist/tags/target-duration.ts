/** EXT-X-TARGETDURATION, rfc8216bis §4.4.3.1: whole seconds, at least every segment duration rounded. */

import { parseInteger } from '../syntax.ts';

/** EXT-X-TARGETDURATION. */
export interface TargetDurationTag {
  readonly kind: 'target-duration';
  readonly value: number;
}

/** Renders EXT-X-TARGETDURATION. */
export function renderTargetDuration(tag: TargetDurationTag): string {
  return `#EXT-X-TARGETDURATION:${tag.value}`;
}

/** Reads the text after `#EXT-X-TARGETDURATION:`. */
export function parseTargetDuration(text: string): TargetDurationTag {
  return { kind: 'target-duration', value: parseInteger(text, 'EXT-X-TARGETDURATION') };
}
