/** EXT-X-VERSION, rfc8216bis §4.4.1.2: the protocol version needed to read the playlist. */

import { parseInteger } from '../syntax.ts';

/** EXT-X-VERSION. */
export interface VersionTag {
  readonly kind: 'version';
  readonly value: number;
}

/** Renders EXT-X-VERSION. */
export function renderVersion(tag: VersionTag): string {
  return `#EXT-X-VERSION:${tag.value}`;
}

/** Reads the text after `#EXT-X-VERSION:`. */
export function parseVersion(text: string): VersionTag {
  return { kind: 'version', value: parseInteger(text, 'EXT-X-VERSION') };
}
