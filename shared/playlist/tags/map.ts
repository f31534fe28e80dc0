/** EXT-X-MAP, rfc8216bis §4.4.4.5: the init segment of the segments that follow. */

import { parseAttributeList, quoted, renderAttributeList, required, takeQuoted } from '../attribute-list.ts';

/** EXT-X-MAP. */
export interface MapTag {
  readonly kind: 'map';
  readonly uri: string;
}

/** Renders EXT-X-MAP. */
export function renderMap(tag: MapTag): string {
  return `#EXT-X-MAP:${renderAttributeList([['URI', quoted(tag.uri)]])}`;
}

/** Reads the text after `#EXT-X-MAP:`. */
export function parseMap(text: string): MapTag {
  return { kind: 'map', uri: required(takeQuoted(parseAttributeList(text), 'URI'), 'URI') };
}
