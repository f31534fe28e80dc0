/** Splits an analyst's statement into words, as far as telling what it reaches for needs it. */

import { fail, ok, type Result } from '../../../shared/result.ts';

/** A piece of a statement; `name` is an identifier without its quotes. */
export interface SqlToken {
  readonly kind: 'name' | 'quoted-name' | 'string' | 'number' | 'sign';
  readonly text: string;
}

/** Why a text is not split: where engines could read it otherwise than this does, it is refused. */
export type SqlFailure = { readonly reason: 'sql-refused'; readonly detail: string };

/** No backslash within quotes: whether it escapes is a matter of settings. */
const TOKEN =
  /\s+|(?<comment>--|\/\*|#)|(?<string>'(?:[^'\\]|'')*')|(?<quoted>"[^"\\`]*"|`[^`\\"]*`)|(?<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?<name>[A-Za-z_][A-Za-z0-9_]*)|(?<sign><=>|<=|>=|<>|!=|==|\|\||->|::|[-+*/%=<>(),.?:;[\]{}])/y;
const PRINTABLE = /^[\t\n\r\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]*$/;

/** Splits a statement; comments, backslashes in quotes and unknown signs are refused. */
export function splitSql(text: string): Result<readonly SqlToken[], SqlFailure> {
  if (!PRINTABLE.test(text)) {
    return refuse('control characters are not accepted');
  }
  const tokens: SqlToken[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const groups = TOKEN.exec(text)?.groups;
    if (groups === undefined) {
      return refuse('a quote is open, holds a backslash, or a sign is not known');
    }
    if (groups['comment'] !== undefined) {
      return refuse('comments are not accepted');
    }
    const token = tokenOf(groups);
    if (token !== undefined) {
      tokens.push(token);
    }
  }
  return ok(tokens);
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>): SqlToken | undefined {
  const { string, quoted, number, name, sign } = groups;
  if (quoted !== undefined) {
    return { kind: 'quoted-name', text: quoted.slice(1, -1) };
  }
  if (string !== undefined) {
    return { kind: 'string', text: string };
  }
  if (number !== undefined) {
    return { kind: 'number', text: number };
  }
  if (name !== undefined) {
    return { kind: 'name', text: name };
  }
  return sign === undefined ? undefined : { kind: 'sign', text: sign };
}

function refuse(detail: string): Result<never, SqlFailure> {
  return fail({ reason: 'sql-refused', detail });
}
