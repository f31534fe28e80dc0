/**
 * Judges an analyst's statement: one SELECT over the QoS table, functions from a list, no settings and no other
 * table. The engine is told to be read-only besides; this is what keeps it from its own files and tables.
 */

import { fail, ok, type Result } from '../../../shared/result.ts';
import { QOS_TABLE } from '../../../shared/qos/schema.ts';
import { isCallable } from './functions.ts';
import { splitSql, type SqlFailure, type SqlToken } from './tokens.ts';

/** Longest statement, characters. */
const MAX_LENGTH = 16_384;
/** Words that no reading statement over one table needs; they are no column's name either. */
const REFUSED = new Set(
  (
    'insert alter create drop truncate delete update rename attach detach optimize kill grant revoke set use system ' +
    'show describe explain exists check watch backup restore exchange undrop move replace into outfile infile ' +
    'settings format parallel engine database databases dictionary tables function view execute'
  ).split(' '),
);
/** Words before a parenthesis that are no function. */
const BEFORE_PARENTHESIS = new Set(
  (
    'select from where prewhere and or not in as on using by having group order limit offset with join over when ' +
    'then else case between like ilike union all distinct any inner left right full cross asof array global ' +
    'interval is values rows range partition filter qualify window cube rollup sets grouping except intersect'
  ).split(' '),
);

/** Returns the statement without its closing semicolon, or why it is refused. */
export function readOnlyStatement(text: string): Result<string, SqlFailure> {
  if (text.length > MAX_LENGTH) {
    return refuse(`at most ${MAX_LENGTH} characters`);
  }
  const statement = text.trim().replace(/;$/, '');
  const split = splitSql(statement);
  if (!split.ok) {
    return split;
  }
  const tokens = split.value;
  const first = tokens[0]?.text.toLowerCase();
  if (tokens[0]?.kind !== 'name' || (first !== 'select' && first !== 'with')) {
    return refuse('a statement begins with SELECT or WITH');
  }
  const tables = new Set([QOS_TABLE, ...commonTables(tokens)]);
  for (const [index, token] of tokens.entries()) {
    const wrong = wrongAt(tokens, index, { token, tables });
    if (wrong !== undefined) {
      return refuse(wrong);
    }
  }
  return ok(statement);
}

/** Names that the statement gives to parts of itself: `WITH name AS (SELECT …`. */
function commonTables(tokens: readonly SqlToken[]): readonly string[] {
  return tokens.flatMap((token, index) =>
    isName(token) &&
    is(tokens[index + 1], 'as') &&
    is(tokens[index + 2], '(') &&
    is(tokens[index + 3], 'select') &&
    (is(tokens[index - 1], 'with') || is(tokens[index - 1], ','))
      ? [token.text]
      : [],
  );
}

function wrongAt(
  tokens: readonly SqlToken[],
  index: number,
  context: { readonly token: SqlToken; readonly tables: ReadonlySet<string> },
): string | undefined {
  const { token, tables } = context;
  const next = tokens[index + 1];
  if (token.kind === 'sign') {
    return wrongSign(token.text);
  }
  if (!isName(token)) {
    return undefined;
  }
  const word = token.text.toLowerCase();
  if (token.kind === 'name' && REFUSED.has(word)) {
    return `${word.toUpperCase()} is not accepted`;
  }
  if (is(next, '.') && !isQualifier(tokens, token.text, tables)) {
    return `"${token.text}." is neither ${QOS_TABLE} nor a name given in the statement`;
  }
  if (
    is(next, '(') &&
    !(token.kind === 'name' && BEFORE_PARENTHESIS.has(word)) &&
    !isDefinition(tokens, index)
  ) {
    return isCallable(token.text) ? undefined : `the function ${token.text} is not accepted`;
  }
  if (token.kind === 'name' && (word === 'from' || word === 'join')) {
    return wrongSource(tokens, index + 1, { tables, isList: word === 'from' });
  }
  // `IN name` reads a table of that name.
  return token.kind === 'name' && word === 'in' && isName(next)
    ? 'IN is followed by a list in parentheses'
    : undefined;
}

function wrongSign(sign: string): string | undefined {
  if (sign === ';') {
    return 'one statement at a time';
  }
  return sign === '{' || sign === '}' || sign === '?' ? `"${sign}" is not accepted` : undefined;
}

/** What stands behind FROM or JOIN: the table, a part of the statement, or a statement in parentheses. */
function wrongSource(
  tokens: readonly SqlToken[],
  at: number,
  context: { readonly tables: ReadonlySet<string>; readonly isList: boolean },
): string | undefined {
  const source = tokens[at];
  if (is(source, '(')) {
    return is(tokens[at + 1], 'select') || is(tokens[at + 1], 'with')
      ? undefined
      : 'FROM ( is followed by SELECT';
  }
  // `extract(… FROM …)` and `trim(… FROM …)` have other spellings here.
  if (
    !isName(source) ||
    !context.tables.has(source.text) ||
    is(tokens[at + 1], '.') ||
    is(tokens[at + 1], '(')
  ) {
    return `FROM ${QOS_TABLE} is the one table there is`;
  }
  const behind = isAlias(tokens, at + 1);
  return is(tokens[behind], ',') ? 'tables are not listed with commas: use JOIN' : undefined;
}

/** The place behind a table's optional alias. */
function isAlias(tokens: readonly SqlToken[], at: number): number {
  const from = is(tokens[at], 'final') ? at + 1 : at;
  if (is(tokens[from], 'as')) {
    return from + 2;
  }
  const next = tokens[from];
  return isName(next) && !BEFORE_PARENTHESIS.has(next.text.toLowerCase()) ? from + 1 : from;
}

/** `name (a, b) AS (SELECT` is refused as a function; `name AS (` never comes here. */
function isDefinition(tokens: readonly SqlToken[], index: number): boolean {
  return is(tokens[index - 1], 'window');
}

/** A table, or a name that stands behind AS or behind a table or a closing parenthesis. */
function isQualifier(tokens: readonly SqlToken[], name: string, tables: ReadonlySet<string>): boolean {
  return (
    tables.has(name) ||
    tokens.some((token, index) => {
      const before = tokens[index - 1];
      const isGiven = is(before, 'as') || is(before, ')') || (isName(before) && tables.has(before.text));
      return isName(token) && token.text === name && isGiven;
    })
  );
}

function is(token: SqlToken | undefined, text: string): boolean {
  return (
    token !== undefined &&
    (token.kind === 'name' || token.kind === 'sign') &&
    token.text.toLowerCase() === text
  );
}

function isName(token: SqlToken | undefined): token is SqlToken {
  return token?.kind === 'name' || token?.kind === 'quoted-name';
}

function refuse(detail: string): Result<never, SqlFailure> {
  return fail({ reason: 'sql-refused', detail });
}
