/** Attribute lists: `NAME=value,NAME="quoted",…`, rfc8216bis §4.2. */

import { parseDecimal, parseInteger, PlaylistSyntaxError } from './syntax.ts';

/** One attribute's value: a quoted-string or any of the unquoted forms. */
export interface AttributeValue {
  readonly quoted: boolean;
  readonly text: string;
}

/** Attributes in their order; a name is there once. */
export type AttributeList = ReadonlyMap<string, AttributeValue>;

/** An attribute about to be rendered; one whose value is `undefined` is left out. */
export type AttributeEntry = readonly [name: string, value: AttributeValue | undefined];

const ENTRY = /([A-Z0-9-]+)=(?:"([^"\r\n]*)"|([^",\s]+))(,|$)/y;
const QUOTABLE = /^[^"\r\n]*$/;
const UNQUOTABLE = /^[^",\s]+$/;

/** Makes a quoted-string value. */
export function quoted(text: string): AttributeValue {
  return { quoted: true, text };
}

/** Makes an unquoted value. */
export function unquoted(text: string | number): AttributeValue {
  return { quoted: false, text: String(text) };
}

/** Makes `YES` where the flag is set; an unset flag is left out. */
export function flag(value: boolean): AttributeValue | undefined {
  return value ? unquoted('YES') : undefined;
}

/** Renders an attribute list; throws {@link PlaylistSyntaxError} on a value that the grammar cannot hold. */
export function renderAttributeList(entries: readonly AttributeEntry[]): string {
  const texts: string[] = [];
  for (const [name, value] of entries) {
    if (value !== undefined) {
      texts.push(`${name}=${renderValue(name, value)}`);
    }
  }
  return texts.join(',');
}

function renderValue(name: string, value: AttributeValue): string {
  if (!(value.quoted ? QUOTABLE : UNQUOTABLE).test(value.text)) {
    throw new PlaylistSyntaxError(`${name} holds characters that an attribute value cannot carry`);
  }
  return value.quoted ? `"${value.text}"` : value.text;
}

/** Reads an attribute list; throws {@link PlaylistSyntaxError} on broken grammar or a repeated name. */
export function parseAttributeList(text: string): AttributeList {
  const attributes = new Map<string, AttributeValue>();
  let at = 0;
  let separator = ',';
  while (at < text.length) {
    ENTRY.lastIndex = at;
    const match = ENTRY.exec(text);
    const name = match?.[1];
    if (match === null || name === undefined) {
      throw new PlaylistSyntaxError(`attribute list is malformed at character ${at}`);
    }
    if (attributes.has(name)) {
      throw new PlaylistSyntaxError(`attribute ${name} is there twice`);
    }
    attributes.set(name, match[2] === undefined ? unquoted(match[3] ?? '') : quoted(match[2]));
    separator = match[4] ?? '';
    at = ENTRY.lastIndex;
  }
  if (separator === ',') {
    throw new PlaylistSyntaxError('attribute list ends where an attribute was expected');
  }
  return attributes;
}

/** Takes a quoted-string, or `undefined` where it is absent. */
export function takeQuoted(attributes: AttributeList, name: string): string | undefined {
  const value = attributes.get(name);
  if (value?.quoted === false) {
    throw new PlaylistSyntaxError(`${name} is no quoted string`);
  }
  return value?.text;
}

/** Takes an unquoted value, or `undefined` where it is absent. */
export function takeUnquoted(attributes: AttributeList, name: string): string | undefined {
  const value = attributes.get(name);
  if (value?.quoted === true) {
    throw new PlaylistSyntaxError(`${name} is a quoted string`);
  }
  return value?.text;
}

/** Takes a decimal-floating-point, or `undefined` where it is absent. */
export function takeDecimal(attributes: AttributeList, name: string): number | undefined {
  const text = takeUnquoted(attributes, name);
  return text === undefined ? undefined : parseDecimal(text, name);
}

/** Takes a decimal-integer, or `undefined` where it is absent. */
export function takeInteger(attributes: AttributeList, name: string): number | undefined {
  const text = takeUnquoted(attributes, name);
  return text === undefined ? undefined : parseInteger(text, name);
}

/** Takes an enumerated `YES` or `NO`; absent reads as false. */
export function takeFlag(attributes: AttributeList, name: string): boolean {
  const text = takeUnquoted(attributes, name);
  if (text !== undefined && text !== 'YES' && text !== 'NO') {
    throw new PlaylistSyntaxError(`${name} is neither YES nor NO`);
  }
  return text === 'YES';
}

/** Insists on a value that the tag requires. */
export function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) {
    throw new PlaylistSyntaxError(`${name} is missing`);
  }
  return value;
}
