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

const TYPES = ['AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS'] as const;

/** EXT-X-MEDIA. */
export interface MediaTag {
  readonly kind: 'media';
  readonly type: (typeof TYPES)[number];
  readonly groupId: string;
  readonly name: string;
  readonly isDefault: boolean;
  readonly autoselect: boolean;
  /** RFC 5646. */
  readonly language: string | undefined;
  /** Count of audio channels. */
  readonly channels: string | undefined;
  /** CC1 to CC4 or SERVICE1 to SERVICE63, of closed captions alone. */
  readonly instreamId: string | undefined;
  /** None of closed captions: they are in the video. */
  readonly uri: string | undefined;
}

/** Renders EXT-X-MEDIA. */
export function renderMedia(tag: MediaTag): string {
  const { language, channels, instreamId, uri } = tag;
  return `#EXT-X-MEDIA:${renderAttributeList([
    ['TYPE', unquoted(tag.type)],
    ['GROUP-ID', quoted(tag.groupId)],
    ['NAME', quoted(tag.name)],
    ['LANGUAGE', language === undefined ? undefined : quoted(language)],
    ['DEFAULT', flag(tag.isDefault)],
    ['AUTOSELECT', flag(tag.autoselect)],
    ['INSTREAM-ID', instreamId === undefined ? undefined : quoted(instreamId)],
    ['CHANNELS', channels === undefined ? undefined : quoted(channels)],
    ['URI', uri === undefined ? undefined : quoted(uri)],
  ])}`;
}

/** Reads the text after `#EXT-X-MEDIA:`. */
export function parseMedia(list: string): MediaTag {
  const attributes = parseAttributeList(list);
  const text = takeUnquoted(attributes, 'TYPE');
  const type = TYPES.find((known) => known === text);
  if (type === undefined) {
    throw new PlaylistSyntaxError(`TYPE is none of ${TYPES.join(', ')}`);
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
    instreamId: takeQuoted(attributes, 'INSTREAM-ID'),
    uri: takeQuoted(attributes, 'URI'),
  };
}
