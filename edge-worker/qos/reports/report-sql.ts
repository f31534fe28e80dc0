/** From a report's question to SQL text; every piece is from a list, a number or a checked name. */

import type { StreamName } from '../../../shared/identifiers.ts';
import { QOS_TABLE, position } from '../../../shared/qos/schema.ts';
import {
  DIMENSIONS,
  REPORTS,
  TIMELINE_NUMBERS,
  TIMELINE_TEXTS,
  type Dimension,
  type ReportName,
} from './definitions.ts';

/** Most rows of an answer. */
export const MAX_ROWS = 10_000;
/** Most events of one session's timeline: three hours of heartbeats. */
const MAX_TIMELINE_EVENTS = 2_000;
/** Rows of a `top` report. */
const TOP_ROWS = 50;

interface Window {
  /** The one stream that is asked for, else all. */
  readonly stream: StreamName | undefined;
  /** First second, Unix. */
  readonly from: number;
  /** First second that no longer belongs to it, Unix. */
  readonly to: number;
}

/** What a report is asked. */
export interface ReportQuestion extends Window {
  readonly report: ReportName;
  /** Length of a row's time, seconds; without it there is one row for the whole time. */
  readonly step: number | undefined;
  readonly by: readonly Dimension[];
}

/** A statement, and which of its columns are numbers. */
export interface ReportStatement {
  readonly sql: string;
  readonly columns: readonly { readonly name: string; readonly kind: 'text' | 'number' }[];
}

/** The statement of a report. */
export function reportStatement(question: ReportQuestion): ReportStatement {
  const { report, step, from, to, by } = question;
  const definition = REPORTS[report];
  const dimensions = by.filter((one) => DIMENSIONS.includes(one));
  const times = step === undefined ? [] : [{ name: 'time', sql: timeOf(step) }];
  const texts = dimensions.map((name) => ({ name, sql: position(name) }));
  const figures = definition.figures(step ?? to - from);
  const groups = [...times, ...texts].map(({ name }) => name);
  const order = report === 'top' ? ['sessions DESC', ...groups] : groups;
  const sql = [
    `SELECT ${[...times, ...texts, ...figures].map(({ name, sql }) => `${sql} AS ${name}`).join(', ')}`,
    `FROM ${QOS_TABLE}`,
    `WHERE ${conditions(question)} AND ${definition.where}`,
    ...(groups.length === 0 ? [] : [`GROUP BY ${groups.join(', ')}`]),
    ...(order.length === 0 ? [] : [`ORDER BY ${order.join(', ')}`]),
    `LIMIT ${report === 'top' ? TOP_ROWS : MAX_ROWS}`,
  ].join('\n');
  return {
    sql,
    columns: [
      ...times.map(({ name }) => ({ name, kind: 'number' as const })),
      ...texts.map(({ name }) => ({ name, kind: 'text' as const })),
      ...figures.map(({ name }) => ({ name, kind: 'number' as const })),
    ],
  };
}

/** The statement of a session's timeline; `session` is a stored id of letters, digits, "-" and "_". */
export function timelineStatement(window: Window, session: string): ReportStatement {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(session)) {
    throw new Error('a session id is 1 to 64 of A to Z, a to z, 0 to 9, "-" and "_"');
  }
  const names = [...TIMELINE_NUMBERS, ...TIMELINE_TEXTS];
  const sql = [
    `SELECT ${names.map((name) => `${position(name)} AS ${name}`).join(', ')}`,
    `FROM ${QOS_TABLE}`,
    `WHERE ${conditions(window)} AND ${position('session')} = '${session}'`,
    `ORDER BY ${position('at_ms')}, ${position('seq')}`,
    `LIMIT ${MAX_TIMELINE_EVENTS}`,
  ].join('\n');
  return {
    sql,
    columns: [
      ...TIMELINE_NUMBERS.map((name) => ({ name, kind: 'number' as const })),
      ...TIMELINE_TEXTS.map((name) => ({ name, kind: 'text' as const })),
    ],
  };
}

function timeOf(step: number): string {
  return `toUnixTimestamp(toStartOfInterval(timestamp, INTERVAL '${whole(step)}' SECOND))`;
}

function conditions({ stream, from, to }: Window): string {
  const time = `timestamp >= toDateTime(${whole(from)}) AND timestamp < toDateTime(${whole(to)})`;
  // A stream's name has no character that means anything in SQL: its type is made by the parser alone.
  return stream === undefined ? time : `${position('stream')} = '${stream}' AND ${time}`;
}

function whole(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new Error(`${value} is no whole number of seconds`);
  }
  return value;
}
