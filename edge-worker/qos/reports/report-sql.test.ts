import { expect, test } from 'vitest';
import fc from 'fast-check';
import { parseStreamName } from '../../../shared/identifiers.ts';
import { splitSql } from '../sql/tokens.ts';
import { readOnlyStatement } from '../sql/read-only.ts';
import { DIMENSIONS, REPORTS, type ReportName } from './definitions.ts';
import { readQuestion } from './question.ts';
import { reportStatement, timelineStatement } from './report-sql.ts';

const NOW = 1_800_000_000;
/** What Analytics Engine's SQL reference lists, as far as reports may want it. */
const ANALYTICS_ENGINE_FUNCTIONS = new Set(
  (
    'count sum avg min max quantileExactWeighted argMax argMin first_value last_value topK topKWeighted countIf sumIf ' +
    'avgIf if coalesce intDiv log pow round floor ceil toUInt8 toUInt32 toString length empty lower upper startsWith ' +
    'endsWith position substring format extract formatDateTime now today toDateTime toUnixTimestamp ' +
    'toStartOfInterval toStartOfMinute toStartOfHour toStartOfDay'
  ).split(' '),
);
/** Clauses and connectives of its SELECT; nothing of JOIN, UNION, WITH and OVER. */
const ANALYTICS_ENGINE_WORDS = new Set(
  'select as from where group by having order asc desc limit offset and or not in interval second distinct'.split(
    ' ',
  ),
);

const STATEMENTS = Object.keys(REPORTS).flatMap((report) =>
  ['', '&step=10s', '&by=country,asn', '&step=1h&by=rendition'].map((query) => {
    const question = readQuestion(report, new URLSearchParams(`stream=show&from=-1h${query}`), NOW);
    if (!question.ok || question.value.kind !== 'report') {
      throw new Error(report);
    }
    return { name: `${report}${query}`, ...reportStatement(question.value.question) };
  }),
);

test.each(STATEMENTS)('$name is within what the SQL of Analytics Engine allows', ({ sql, columns }) => {
  const tokens = splitSql(sql);
  const given = new Set(columns.map(({ name }) => name));
  expect(tokens.ok).toBe(true);
  const all = tokens.ok ? tokens.value : [];
  for (const [index, { kind, text }] of all.entries()) {
    if (kind !== 'name' || given.has(text)) {
      continue;
    }
    const next = all[index + 1]?.text;
    const isPlain =
      /^(?:index1|blob([1-9]|1\d|20)|double([1-9]|1\d|20)|timestamp|_sample_interval|rill_qos)$/.test(text);
    const isWord = ANALYTICS_ENGINE_WORDS.has(text.toLowerCase());
    expect(isPlain || isWord || (next === '(' && ANALYTICS_ENGINE_FUNCTIONS.has(text)), text).toBe(true);
  }
});

test('every count is weighted with the sampling of the engine and of Rill', () => {
  for (const { sql } of STATEMENTS) {
    expect(sql).not.toMatch(/count\(\)|countIf\(/);
    expect(sql.match(/(?:sum|sumIf)\((?!_sample_interval \* double20)/g)).toBeNull();
  }
});

test('an analyst may run the text of each report', () => {
  for (const { sql } of STATEMENTS) {
    expect(readOnlyStatement(sql)).toEqual({ ok: true, value: sql });
  }
});

test('a report in steps by a dimension is this text', () => {
  expect(STATEMENTS.find(({ name }) => name === 'startup&step=1h&by=rendition')?.sql).toBe(
    [
      "SELECT toUnixTimestamp(toStartOfInterval(timestamp, INTERVAL '3600' SECOND)) AS time, blob9 AS rendition, " +
        'sum(_sample_interval * double20) AS starts, ' +
        'quantileExactWeighted(0.5)(double3, _sample_interval) AS p50_ms, ' +
        'quantileExactWeighted(0.95)(double3, _sample_interval) AS p95_ms, ' +
        'quantileExactWeighted(0.99)(double3, _sample_interval) AS p99_ms',
      'FROM rill_qos',
      "WHERE index1 = 'show' AND timestamp >= toDateTime(1799996400) AND timestamp < toDateTime(1800000001) AND blob1 = 'startup'",
      'GROUP BY time, rendition',
      'ORDER BY time, rendition',
      'LIMIT 10000',
    ].join('\n'),
  );
});

test.each([
  ['from after to', 'startup', 'from=200&to=100'],
  ['from at to', 'startup', 'from=100&to=100'],
  ['more than three months', 'startup', 'from=0&to=1800000000'],
  ['an unknown dimension', 'startup', 'by=viewer'],
  ['three dimensions', 'startup', 'by=country,asn,colo'],
  ['a dimension twice', 'startup', 'by=asn,asn'],
  ['SQL for a dimension', 'startup', 'by=blob1%20FROM%20system.tables--'],
  ['an inherited name for a report', 'constructor', ''],
  ['an unknown report', 'passwords', ''],
  ['a path for a report', '../sql', ''],
  ['a hostile stream', 'startup', "stream=x'%20OR%20'1'='1"],
  ['an upper-case stream', 'startup', 'stream=Show'],
  ['a hostile time', 'startup', 'from=1)%20OR%20(1'],
  ['a time of letters', 'startup', 'from=yesterday'],
  ['a local time', 'startup', 'from=2026-11-22T20:00:00'],
  ['a step of nothing', 'startup', 'step=0s'],
  ['a hostile step', 'startup', "step=1'%20SECOND"],
  ['a step of two days', 'startup', 'step=2d'],
  ['too many rows', 'startup', 'from=-1d&step=1s'],
  ['an unknown format', 'startup', 'format=xml'],
  ['an unknown parameter', 'startup', 'where=1'],
  ['a parameter twice', 'startup', 'stream=a&stream=b'],
  ['a hostile session', "session/x'%20OR%201", ''],
  ['no session', 'session/', ''],
])('%s is refused', (_, path, query) => {
  expect(readQuestion(path, new URLSearchParams(query), NOW).ok).toBe(false);
});

test('whatever is asked, a statement has the table, the numbers and the names of the lists alone', () => {
  const reports = fc.constantFrom(...(Object.keys(REPORTS) as ReportName[]));
  fc.assert(
    fc.property(
      reports,
      fc.string(),
      fc.string(),
      fc.string(),
      fc.string(),
      (report, stream, from, step, by) => {
        const read = readQuestion(report, new URLSearchParams({ stream, from, step, by }), NOW);
        if (read.ok && read.value.kind === 'report') {
          expect(readOnlyStatement(reportStatement(read.value.question).sql).ok).toBe(true);
          expect(parseStreamName(stream).ok).toBe(true);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

test('times are Unix seconds, ISO 8601 in UTC, or back from now', () => {
  const window = (query: string): unknown => {
    const read = readQuestion('startup', new URLSearchParams(query), NOW);
    return read.ok ? [read.value.question.from, read.value.question.to] : read.failure;
  };
  expect(window('')).toEqual([NOW + 1 - 3_600, NOW + 1]);
  expect(window('from=-15m')).toEqual([NOW - 900, NOW + 1]);
  expect(window('from=2027-01-15T07:00:00Z&to=2027-01-15T08:00:00Z')).toEqual([NOW - 3_600, NOW]);
  expect(window(`from=${NOW - 10}&to=${NOW}`)).toEqual([NOW - 10, NOW]);
});

test('a timeline takes no id that is not of letters, digits, "-" and "_"', () => {
  expect(() => timelineStatement({ stream: undefined, from: 0, to: 1 }, "x' OR '1")).toThrow('session id');
});

test('each dimension may be asked', () => {
  for (const name of DIMENSIONS) {
    expect(readQuestion('top', new URLSearchParams({ by: name }), NOW).ok).toBe(true);
  }
});
