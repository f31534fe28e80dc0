/** What of a statement Analytics Engine's SQL does not have; a report has nothing of it. */

import { splitSql } from '../sql/tokens.ts';

/** What its SQL reference lists, as far as reports may want it. */
const FUNCTIONS = new Set(
  (
    'count sum avg min max quantileExactWeighted argMax argMin first_value last_value topK topKWeighted countIf sumIf ' +
    'avgIf if coalesce intDiv log pow round floor ceil toUInt8 toUInt32 toString length empty lower upper startsWith ' +
    'endsWith position substring format extract formatDateTime now today toDateTime toUnixTimestamp ' +
    'toStartOfInterval toStartOfMinute toStartOfHour toStartOfDay'
  ).split(' '),
);
/** Clauses and connectives of its SELECT; nothing of JOIN, UNION, WITH and OVER. */
const WORDS = new Set(
  'select as from where group by having order asc desc limit offset and or not in interval second distinct'.split(
    ' ',
  ),
);
const COLUMN = /^(?:index1|blob([1-9]|1\d|20)|double([1-9]|1\d|20)|timestamp|_sample_interval|rill_qos)$/;

/** Words of a statement that are none of its columns, clauses and functions, nor names that the statement gives. */
export function outsideAnalyticsEngine(sql: string): readonly string[] {
  const split = splitSql(sql);
  if (!split.ok) {
    return [split.failure.detail];
  }
  const tokens = split.value;
  const isAs = (index: number): boolean => tokens[index]?.text.toLowerCase() === 'as';
  const given = new Set(tokens.flatMap(({ text }, index) => (isAs(index - 1) ? [text] : [])));
  return tokens.flatMap(({ kind, text }, index) => {
    const isCall = tokens[index + 1]?.text === '(' && FUNCTIONS.has(text);
    const isKnown = COLUMN.test(text) || WORDS.has(text.toLowerCase()) || given.has(text) || isCall;
    return kind !== 'name' || isKnown ? [] : [text];
  });
}
