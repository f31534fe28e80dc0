/** EXT-X-RENDITION-REPORT, rfc8216bis §4.4.5.4: how far another rendition of the stream has come. */

import {
  parseAttributeList,
  quoted,
  renderAttributeList,
  required,
  takeInteger,
  takeQuoted,
  unquoted,
} from '../attribute-list.ts';

/** EXT-X-RENDITION-REPORT. */
export interface RenditionReportTag {
  readonly kind: 'rendition-report';
  /** The media playlist, relative to this one. */
  readonly uri: string;
  /** The media sequence number of its last segment, complete or not. */
  readonly lastMsn: number;
  /** The last part of that segment, absent where it has none. */
  readonly lastPart: number | undefined;
}

/** Renders EXT-X-RENDITION-REPORT. */
export function renderRenditionReport(tag: RenditionReportTag): string {
  return `#EXT-X-RENDITION-REPORT:${renderAttributeList([
    ['URI', quoted(tag.uri)],
    ['LAST-MSN', unquoted(tag.lastMsn)],
    ['LAST-PART', tag.lastPart === undefined ? undefined : unquoted(tag.lastPart)],
  ])}`;
}

/** Reads the text after `#EXT-X-RENDITION-REPORT:`. */
export function parseRenditionReport(text: string): RenditionReportTag {
  const attributes = parseAttributeList(text);
  return {
    kind: 'rendition-report',
    uri: required(takeQuoted(attributes, 'URI'), 'URI'),
    lastMsn: required(takeInteger(attributes, 'LAST-MSN'), 'LAST-MSN'),
    lastPart: takeInteger(attributes, 'LAST-PART'),
  };
}
