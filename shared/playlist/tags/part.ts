/** EXT-X-PART, rfc8216bis §4.4.4.9: a part of the segment that follows. */

import {
  flag,
  parseAttributeList,
  quoted,
  renderAttributeList,
  required,
  takeDecimal,
  takeFlag,
  takeQuoted,
  unquoted,
} from '../attribute-list.ts';
import { renderDecimal } from '../syntax.ts';

/** EXT-X-PART. */
export interface PartTag {
  readonly kind: 'part';
  readonly uri: string;
  /** Seconds. */
  readonly duration: number;
  /** The part begins with a sync sample. */
  readonly independent: boolean;
  /** The part has no media to fetch. */
  readonly gap: boolean;
}

/** Renders EXT-X-PART. */
export function renderPart(tag: PartTag): string {
  return `#EXT-X-PART:${renderAttributeList([
    ['DURATION', unquoted(renderDecimal(tag.duration))],
    ['URI', quoted(tag.uri)],
    ['INDEPENDENT', flag(tag.independent)],
    ['GAP', flag(tag.gap)],
  ])}`;
}

/** Reads the text after `#EXT-X-PART:`. */
export function parsePart(text: string): PartTag {
  const attributes = parseAttributeList(text);
  return {
    kind: 'part',
    uri: required(takeQuoted(attributes, 'URI'), 'URI'),
    duration: required(takeDecimal(attributes, 'DURATION'), 'DURATION'),
    independent: takeFlag(attributes, 'INDEPENDENT'),
    gap: takeFlag(attributes, 'GAP'),
  };
}
