/** EXT-X-PART-INF, rfc8216bis §4.4.3.7: the longest duration of a part. */

import {
  parseAttributeList,
  renderAttributeList,
  required,
  takeDecimal,
  unquoted,
} from '../attribute-list.ts';
import { renderDecimal } from '../syntax.ts';

/** EXT-X-PART-INF. */
export interface PartInfTag {
  readonly kind: 'part-inf';
  /** PART-TARGET, seconds. */
  readonly partTarget: number;
}

/** Renders EXT-X-PART-INF. */
export function renderPartInf(tag: PartInfTag): string {
  return `#EXT-X-PART-INF:${renderAttributeList([['PART-TARGET', unquoted(renderDecimal(tag.partTarget))]])}`;
}

/** Reads the text after `#EXT-X-PART-INF:`. */
export function parsePartInf(text: string): PartInfTag {
  const attributes = parseAttributeList(text);
  return { kind: 'part-inf', partTarget: required(takeDecimal(attributes, 'PART-TARGET'), 'PART-TARGET') };
}
