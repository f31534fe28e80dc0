/** EXT-X-MEDIA, rfc8216bis §4.4.6.1: a rendition that variants refer to by its group. */

import {
  flag,
  parseAttributeList,
  quoted,
  renderAttributeList,
  required,
  takeFlag,
  takeQuoted,
  takeUnquoted,
  unquoted,
} from '../attribute-list.ts';
import { PlaylistSyntaxError } from '../syntax.ts';

/** EXT-X-MEDIA. */
export interface MediaTag {
  readonly kind: 'media';
  readonly type: 'AUDIO' | 'VIDEO' | 'SUBTITLES';
  readonly groupId: string;
  readonly name: string;
  readonly isDefault: boolean;
  readonly autoselect: boolean;
  /** RFC 5646. */
  readonly language: string | undefined;
  /** Count of audio channels. */
  readonly channels: string | undefined;
  readonly uri: string | undefined;
}

/** Renders EXT-X-MEDIA. */
export function renderMedia(tag: MediaTag): string {
  const { language, channels, uri } = tag;
  return `#EXT-X-MEDIA:${renderAttributeList([
    ['TYPE', unquoted(tag.type)],
    ['GROUP-ID', quoted(tag.groupId)],
    ['NAME', quoted(tag.name)],
    ['LANGUAGE', language === undefined ? undefined : quoted(language)],
    ['DEFAULT', flag(tag.isDefault)],
    ['AUTOSELECT', flag(tag.autoselect)],
    ['CHANNELS', channels === undefined ? undefined : quoted(channels)],
    ['URI', uri === undefined ? undefined : quoted(uri)],
  ])}`;
}

/** Reads the text after `#EXT-X-MEDIA:`. */
export function parseMedia(text: string): MediaTag {
  const attributes = parseAttributeList(text);
  const type = takeUnquoted(attributes, 'TYPE');
  if (type !== 'AUDIO' && type !== 'VIDEO' && type !== 'SUBTITLES') {
    throw new PlaylistSyntaxError('TYPE is none of AUDIO, VIDEO, SUBTITLES');
  }
  return {
    kind: 'media',
    type,
    groupId: required(takeQuoted(attributes, 'GROUP-ID'), 'GROUP-ID'),
    name: required(takeQuoted(attributes, 'NAME'), 'NAME'),
    isDefault: takeFlag(attributes, 'DEFAULT'),
    autoselect: takeFlag(attributes, 'AUTOSELECT'),
    language: takeQuoted(attributes, 'LANGUAGE'),
    channels: takeQuoted(attributes, 'CHANNELS'),
    uri: takeQuoted(attributes, 'URI'),
  };
}
