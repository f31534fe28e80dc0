/** EXT-X-PRELOAD-HINT, rfc8216bis §4.4.5.3: what a player may already ask for. */

import {
  parseAttributeList,
  quoted,
  renderAttributeList,
  required,
  takeQuoted,
  takeUnquoted,
  unquoted,
} from '../attribute-list.ts';
import { PlaylistSyntaxError } from '../syntax.ts';

/** EXT-X-PRELOAD-HINT. */
export interface PreloadHintTag {
  readonly kind: 'preload-hint';
  readonly type: 'PART' | 'MAP';
  readonly uri: string;
}

/** Renders EXT-X-PRELOAD-HINT. */
export function renderPreloadHint(tag: PreloadHintTag): string {
  return `#EXT-X-PRELOAD-HINT:${renderAttributeList([
    ['TYPE', unquoted(tag.type)],
    ['URI', quoted(tag.uri)],
  ])}`;
}

/** Reads the text after `#EXT-X-PRELOAD-HINT:`. */
export function parsePreloadHint(text: string): PreloadHintTag {
  const attributes = parseAttributeList(text);
  const type = takeUnquoted(attributes, 'TYPE');
  if (type !== 'PART' && type !== 'MAP') {
    throw new PlaylistSyntaxError('TYPE is neither PART nor MAP');
  }
  return { kind: 'preload-hint', type, uri: required(takeQuoted(attributes, 'URI'), 'URI') };
}
