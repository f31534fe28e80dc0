/** Reads a report's question out of a URL; everything that is not of the lists is refused by name. */

import { parseStreamName, type StreamName } from '../../../shared/identifiers.ts';
import { fail, ok, type Result } from '../../../shared/result.ts';
import { DIMENSIONS, REPORTS, type Dimension, type ReportName } from './definitions.ts';
import { MAX_ROWS, type ReportQuestion } from './report-sql.ts';

/** What a question is not. */
export type QuestionFailure = {
  readonly reason: 'unknown-report' | 'invalid-parameter';
  readonly detail: string;
};

/** How an answer is written. */
export type AnswerFormat = 'json' | 'csv';

/** A question with the form of its answer. */
export type Question =
  | { readonly kind: 'report'; readonly question: ReportQuestion; readonly format: AnswerFormat }
  | {
      readonly kind: 'session';
      readonly session: string;
      readonly question: Pick<ReportQuestion, 'stream' | 'from' | 'to'>;
      readonly format: AnswerFormat;
    };

const PARAMETERS = new Set(['stream', 'from', 'to', 'step', 'by', 'format', 'token']);
/** Longest time of a report, seconds: what Analytics Engine keeps, and a day. */
const MAX_SPAN = 93 * 86_400;
/** Time of a report that names none, seconds. */
const DEFAULT_SPAN = 3_600;
/** Time of a session's timeline that names none, seconds. */
const SESSION_SPAN = 86_400;
/** Row length of `concurrents` unless told, seconds. */
const CONCURRENTS_STEP = 60;
const MAX_STEP = 86_400;
/** Dimensions at once: more would multiply rows without end. */
const MAX_DIMENSIONS = 2;
const SESSION = /^[A-Za-z0-9_-]{1,64}$/;
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Reads the part of the path behind `/v1/qos/` and the query; `now` is Unix seconds. */
export function readQuestion(
  path: string,
  query: URLSearchParams,
  now: number,
): Result<Question, QuestionFailure> {
  const format = query.get('format') ?? 'json';
  if (format !== 'json' && format !== 'csv') {
    return invalid('format is json or csv');
  }
  const wrong = [...query.keys()].find((name) => !PARAMETERS.has(name));
  if (wrong !== undefined) {
    return invalid('parameters are stream, from, to, step, by and format');
  }
  if (new Set(query.keys()).size !== [...query.keys()].length) {
    return invalid('each parameter may stand once');
  }
  const session = /^session\/(.*)$/.exec(path)?.[1];
  if (session !== undefined && !SESSION.test(session)) {
    return invalid('a session id is 1 to 64 of A to Z, a to z, 0 to 9, "-" and "_"');
  }
  if (session === undefined && !isReport(path)) {
    const detail = `reports are ${Object.keys(REPORTS).join(', ')} and session/{id}`;
    return fail({ reason: 'unknown-report', detail });
  }
  const window = readWindow(query, now, session === undefined ? DEFAULT_SPAN : SESSION_SPAN);
  if (!window.ok) {
    return window;
  }
  if (session !== undefined) {
    return ok({ kind: 'session', session, question: window.value, format });
  }
  return isReport(path) ? readReport(path, { query, window: window.value, format }) : invalid('no report');
}

function readReport(
  report: ReportName,
  given: {
    readonly query: URLSearchParams;
    readonly window: Pick<ReportQuestion, 'stream' | 'from' | 'to'>;
    readonly format: AnswerFormat;
  },
): Result<Question, QuestionFailure> {
  const { query, window, format } = given;
  const by = (query.get('by') ?? (report === 'top' ? 'country' : ''))
    .split(',')
    .filter((name) => name !== '');
  if (!by.every(isDimension) || new Set(by).size !== by.length || by.length > MAX_DIMENSIONS) {
    return invalid(`by is up to ${MAX_DIMENSIONS} of ${DIMENSIONS.join(', ')}`);
  }
  const stepText = query.get('step');
  const step = stepText === null ? defaultStep(report) : readDuration(stepText);
  if (stepText !== null && (step === undefined || step < 1 || step > MAX_STEP)) {
    return invalid('step is a duration from 1s to 1d, like 10s, 5m or 1h');
  }
  if (step !== undefined && (window.to - window.from) / step > MAX_ROWS) {
    return invalid(`at most ${MAX_ROWS} rows: a longer step, or less time`);
  }
  return ok({ kind: 'report', question: { ...window, report, step, by }, format });
}

function defaultStep(report: ReportName): number | undefined {
  return report === 'concurrents' ? CONCURRENTS_STEP : undefined;
}

function readWindow(
  query: URLSearchParams,
  now: number,
  span: number,
): Result<
  { readonly stream: StreamName | undefined; readonly from: number; readonly to: number },
  QuestionFailure
> {
  const name = query.get('stream');
  const stream = name === null ? undefined : parseStreamName(name);
  if (stream !== undefined && !stream.ok) {
    return invalid(`stream: ${stream.failure.expected}`);
  }
  // What was taken in during the present second belongs to it.
  const to = query.has('to') ? readTime(query.get('to') ?? '', now) : now + 1;
  const from = query.has('from') ? readTime(query.get('from') ?? '', now) : (to ?? now) - span;
  if (from === undefined || to === undefined) {
    return invalid(
      'from and to are Unix seconds, ISO 8601 in UTC (2026-11-22T20:00:00Z), or back from now: -15m',
    );
  }
  if (from >= to) {
    return invalid('from must be before to');
  }
  if (to - from > MAX_SPAN) {
    return invalid(`at most ${MAX_SPAN / 86_400} days at once`);
  }
  return ok({ stream: stream?.value, from, to });
}

/** Unix seconds, ISO 8601 in UTC, or a duration back from now. */
function readTime(text: string, now: number): number | undefined {
  if (/^[0-9]{1,11}$/.test(text)) {
    return Number(text);
  }
  if (text.startsWith('-')) {
    const back = readDuration(text.slice(1));
    return back === undefined ? undefined : Math.max(0, now - back);
  }
  const isIso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?Z$/.test(text);
  const milliseconds = isIso ? Date.parse(text) : Number.NaN;
  return milliseconds >= 0 ? Math.floor(milliseconds / 1000) : undefined;
}

function readDuration(text: string): number | undefined {
  const match = /^([0-9]{1,8})([smhd]?)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1);
}

function isReport(text: string): text is ReportName {
  return Object.hasOwn(REPORTS, text);
}

function isDimension(text: string): text is Dimension {
  return DIMENSIONS.some((name) => name === text);
}

function invalid(detail: string): Result<never, QuestionFailure> {
  return fail({ reason: 'invalid-parameter', detail });
}
