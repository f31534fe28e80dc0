/** `GET /v1/qos/{report}` and `POST /v1/qos/sql`: questions in, rows out, from whatever engine there is. */

import { parseStreamName, type StreamName } from '../../shared/identifiers.ts';
import { errorAnswer } from '../answer.ts';
import type { Env } from '../env.ts';
import { readBody } from '../hub/read-body.ts';
import { describeError, logEvent } from '../log.ts';
import { EngineError } from './engine/engine-error.ts';
import { answerAlerts } from './alerts/reach-alerts.ts';
import { answerPicture } from './answer-picture.ts';
import {
  queryEngine,
  type EngineRows,
  type RunStatement,
  type StatementLimits,
} from './engine/query-engine.ts';
import { answerNow } from './now/answer-now.ts';
import { renderCsv } from './reports/csv.ts';
import { readQuestion, type Question } from './reports/question.ts';
import { MAX_ROWS, reportStatement, timelineStatement, type ReportStatement } from './reports/report-sql.ts';
import { requireScope, type ScopeFailure } from './require-scope.ts';
import { readOnlyStatement } from './sql/read-only.ts';
import { writerStatus } from './writer/writer-status.ts';

/** What the reports need of their surroundings; `now` gives Unix seconds. */
export interface ReportContext {
  readonly env: Env;
  readonly now: () => number;
}

const GIB = 1024 * 1024 * 1024;
/** A report is waited for by a dashboard. */
const REPORT_LIMITS: StatementLimits = {
  ...{ seconds: 10, rows: MAX_ROWS, memoryBytes: 2 * GIB },
  distinct: 'estimated',
};
/** An analyst's statement may ask more, and may not starve what writes. */
const SQL_LIMITS: StatementLimits = {
  ...{ seconds: 15, rows: MAX_ROWS, memoryBytes: GIB },
  distinct: 'exact',
};
/** Longest body of a statement, bytes. */
const MAX_SQL_BYTES = 64 * 1024;
const NO_STORE = { 'cache-control': 'no-store' };

/** Answers a report, a session's timeline, or the writer's status. */
export async function answerReport(request: Request, context: ReportContext): Promise<Response> {
  const now = context.now();
  const scope = await requireScope(request, context.env, 'analytics', now);
  if (!scope.ok) {
    return scopeAnswer(scope.failure);
  }
  const url = new URL(request.url);
  const path = url.pathname.replace(/^\/v1\/qos\//, '');
  if (path === 'status') {
    return answerStatus(context.env);
  }
  if (path === 'now') {
    return answerPresent(url.searchParams, scope.value.stream, context.env);
  }
  if (path === 'alerts') {
    return scope.value.stream === undefined ? answerAlerts(context.env) : otherStream(scope.value.stream);
  }
  if (path === 'picture') {
    return answerPicture(request, context.env, now);
  }
  const question = readQuestion(path, url.searchParams, now);
  if (!question.ok) {
    const status = question.failure.reason === 'unknown-report' ? 404 : 400;
    return errorAnswer(status, question.failure.reason, { detail: question.failure.detail });
  }
  const asked = question.value;
  const { stream } = scope.value;
  if (stream !== undefined && asked.question.stream !== stream) {
    return otherStream(stream);
  }
  const statement =
    asked.kind === 'report'
      ? reportStatement(asked.question)
      : timelineStatement(asked.question, asked.session);
  return runFor(context.env, async (run) => {
    const rows = await run(statement.sql, REPORT_LIMITS);
    return rowsAnswer(asked, statement, typedRows(rows, statement));
  });
}

/** Answers an analyst's statement. */
export async function answerSql(request: Request, context: ReportContext): Promise<Response> {
  const scope = await requireScope(request, context.env, 'analytics', context.now());
  if (!scope.ok) {
    return scopeAnswer(scope.failure);
  }
  if (scope.value.stream !== undefined) {
    return errorAnswer(403, 'other-stream', { detail: 'SQL sees every stream: the token is for one' });
  }
  const body = await readBody(request, MAX_SQL_BYTES);
  if (body === undefined) {
    return errorAnswer(413, 'too-large', { detail: `at most ${MAX_SQL_BYTES} bytes` });
  }
  const format = new URL(request.url).searchParams.get('format') ?? 'json';
  if (format !== 'json' && format !== 'csv') {
    return errorAnswer(400, 'invalid-parameter', { detail: 'format is json or csv' });
  }
  const statement = readOnlyStatement(new TextDecoder().decode(body));
  if (!statement.ok) {
    return errorAnswer(400, statement.failure.reason, { detail: statement.failure.detail });
  }
  return runFor(context.env, async (run) => {
    const { columns, rows } = await run(statement.value, SQL_LIMITS);
    return format === 'csv'
      ? csvAnswer(columns, rows)
      : Response.json({ columns, rows }, { headers: NO_STORE });
  });
}

async function answerPresent(
  query: URLSearchParams,
  granted: StreamName | undefined,
  env: Env,
): Promise<Response> {
  const name = query.get('stream');
  const stream = name === null ? undefined : parseStreamName(name);
  if (stream?.ok === false) {
    return errorAnswer(400, 'invalid-parameter', { detail: `stream: ${stream.failure.expected}` });
  }
  if (granted !== undefined && stream?.value !== granted) {
    return otherStream(granted);
  }
  return answerNow(env, stream?.value, query.get('format') ?? 'json');
}

function otherStream(stream: StreamName): Response {
  return errorAnswer(403, 'other-stream', {
    detail: `the token is for one stream: ask with stream=${stream}`,
  });
}

async function answerStatus(env: Env): Promise<Response> {
  const status = await writerStatus(env);
  return status === undefined
    ? errorAnswer(503, 'not-configured')
    : Response.json(status, { headers: NO_STORE });
}

async function runFor(env: Env, work: (run: RunStatement) => Promise<Response>): Promise<Response> {
  const run = queryEngine(env);
  if (run === undefined) {
    return errorAnswer(503, 'not-configured', {
      detail:
        'no engine answers statements: set RILL_CLICKHOUSE_URL, or RILL_ANALYTICS_ACCOUNT and RILL_ANALYTICS_TOKEN',
    });
  }
  try {
    return await work(run);
  } catch (error) {
    if (!(error instanceof EngineError)) {
      throw error;
    }
    logEvent('warn', 'qos-statement-failed', { kind: error.kind, cause: describeError(error) });
    return error.kind === 'unreachable'
      ? errorAnswer(503, 'engine-unavailable', { headers: { 'retry-after': '5' } })
      : errorAnswer(400, 'statement-failed', { detail: error.message });
  }
}

/** Engines write large whole numbers as text; a report's numbers are numbers. */
function typedRows(
  { rows }: EngineRows,
  { columns }: ReportStatement,
): readonly Readonly<Record<string, string | number>>[] {
  return rows.map((row) =>
    Object.fromEntries(
      columns.map(({ name, kind }) => {
        const value = row[name];
        const text = typeof value === 'string' ? value : '';
        return [name, kind === 'number' ? Number(value ?? 0) : text];
      }),
    ),
  );
}

function rowsAnswer(
  asked: Question,
  { columns }: ReportStatement,
  rows: readonly Readonly<Record<string, string | number>>[],
): Response {
  if (asked.format === 'csv') {
    return csvAnswer(
      columns.map(({ name }) => name),
      rows,
    );
  }
  const { stream, from, to } = asked.question;
  const head = { stream: stream ?? null, from, to };
  const about =
    asked.kind === 'report'
      ? { report: asked.question.report, ...head, step: asked.question.step ?? null, by: asked.question.by }
      : { report: 'session', session: asked.session, ...head };
  return Response.json({ ...about, rows }, { headers: NO_STORE });
}

function csvAnswer(columns: readonly string[], rows: readonly Readonly<Record<string, unknown>>[]): Response {
  return new Response(renderCsv(columns, rows), {
    headers: { ...NO_STORE, 'content-type': 'text/csv; charset=utf-8; header=present' },
  });
}

function scopeAnswer({ reason }: ScopeFailure): Response {
  logEvent('info', 'analytics-denied', { reason });
  switch (reason) {
    case 'not-configured':
      return errorAnswer(503, 'not-configured', { headers: { 'retry-after': '30' } });
    case 'scope-missing':
      return errorAnswer(403, 'forbidden', { detail: 'the token lacks the scope "analytics"' });
    case 'token-missing':
    case 'token-invalid':
      return errorAnswer(401, 'unauthorized', {
        headers: { 'www-authenticate': 'Bearer realm="rill-analytics"' },
      });
  }
}
