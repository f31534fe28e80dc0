/**
 * The reports: for each its rows and its figures as SQL over the positional columns, in the part of the dialect
 * that Analytics Engine, ClickHouse and chDB have in common. `docs/qos.md` gives the formulas in words.
 */

import { DELIVERY_EVENT, position, type ColumnName } from '../../../shared/qos/schema.ts';

/** A figure of a report. */
export interface Figure {
  readonly name: string;
  readonly sql: string;
}

/** A report that groups rows by time and dimension. */
export interface ReportDefinition {
  /** Condition on the rows. */
  readonly where: string;
  /** Figures; `step` is the length of a row's time, seconds. */
  readonly figures: (step: number) => readonly Figure[];
}

const column = position;
const EVENT = column('event');
/** What a row counts for. */
const WEIGHT = `_sample_interval * ${column('weight')}`;
const PLAYER_ROWS = `${EVENT} != '${DELIVERY_EVENT}'`;
const MS_PER_MINUTE = 60_000;
const MS_PER_HOUR = 3_600_000;

const watched = total('watched_ms');
const stalled = total('stalled_ms');
const wanted = `${watched} + ${stalled}`;
const sessions = `count(DISTINCT ${column('session')})`;

/** The reports by name. */
export const REPORTS = {
  concurrents: {
    where: PLAYER_ROWS,
    figures: (step) => [
      { name: 'concurrent', sql: `(${wanted}) / ${step * 1000}` },
      { name: 'sessions', sql: sessions },
    ],
  },
  sessions: {
    where: PLAYER_ROWS,
    figures: () => [
      { name: 'sessions', sql: sessions },
      { name: 'viewers', sql: `count(DISTINCT ${column('viewer')})` },
      { name: 'attempts', sql: events('session_start') },
      { name: 'ended', sql: events('end') },
      { name: 'watched_hours', sql: `${watched} / ${MS_PER_HOUR}` },
      { name: 'watched_minutes_per_session', sql: `${watched} / ${MS_PER_MINUTE} / ${sessions}` },
    ],
  },
  startup: {
    where: `${EVENT} = 'startup'`,
    figures: () => [{ name: 'starts', sql: `sum(${WEIGHT})` }, ...distribution('startup_ms')],
  },
  rebuffering: {
    where: PLAYER_ROWS,
    figures: () => [
      { name: 'watched_ms', sql: watched },
      { name: 'stalled_ms', sql: stalled },
      { name: 'rebuffering_ratio', sql: ratio(stalled, wanted) },
      { name: 'stalls', sql: events('stall_begin') },
      { name: 'stalls_per_minute', sql: ratio(`${events('stall_begin')} * ${MS_PER_MINUTE}`, wanted) },
    ],
  },
  failures: {
    where: PLAYER_ROWS,
    figures: () => [
      { name: 'attempts', sql: events('session_start') },
      { name: 'starts', sql: events('startup') },
      { name: 'start_failures', sql: beforeStart('error') },
      { name: 'start_failure_ratio', sql: ratio(beforeStart('error'), events('session_start')) },
      { name: 'exits_before_start', sql: beforeStart('end') },
      { name: 'exit_before_start_ratio', sql: ratio(beforeStart('end'), events('session_start')) },
      { name: 'errors', sql: events('error') },
      { name: 'errors_per_hour', sql: ratio(`${events('error')} * ${MS_PER_HOUR}`, wanted) },
    ],
  },
  bitrate: {
    where: `${PLAYER_ROWS} AND ${column('bitrate')} > 0`,
    figures: () => [
      { name: 'watched_ms', sql: watched },
      {
        name: 'mean_bitrate',
        sql: ratio(`sum(${WEIGHT} * ${column('watched_ms')} * ${column('bitrate')})`, watched),
      },
      {
        name: 'mean_height',
        sql: ratio(`sum(${WEIGHT} * ${column('watched_ms')} * ${column('height')})`, watched),
      },
      { name: 'switches', sql: events('rendition_switch') },
      {
        name: 'switches_per_minute',
        sql: ratio(`${events('rendition_switch')} * ${MS_PER_MINUTE}`, watched),
      },
    ],
  },
  latency: {
    where: `${PLAYER_ROWS} AND ${column('latency_ms')} > 0`,
    figures: () => [
      { name: 'samples', sql: `sum(${WEIGHT})` },
      { name: 'mean_ms', sql: ratio(total('latency_ms'), `sum(${WEIGHT})`) },
      ...distribution('latency_ms'),
    ],
  },
  delivery: {
    where: `${EVENT} = '${DELIVERY_EVENT}'`,
    figures: () => [
      { name: 'requests', sql: `sum(${WEIGHT})` },
      { name: 'bytes', sql: total('bytes') },
      { name: 'cache_hit_ratio', sql: ratio(total('cache_hit'), `sum(${WEIGHT})`) },
      { name: 'from_hub', sql: `sumIf(${WEIGHT}, ${column('served_by')} = 'hub')` },
      { name: 'from_storage', sql: `sumIf(${WEIGHT}, ${column('served_by')} = 'storage')` },
      ...[2, 3, 4, 5].map((digit) => ({ name: `status_${digit}xx`, sql: statusClass(digit) })),
      ...distribution('ttfb_ms').map(({ name, sql }) => ({ name: `ttfb_${name}`, sql })),
    ],
  },
  top: {
    where: PLAYER_ROWS,
    figures: () => [
      { name: 'sessions', sql: sessions },
      { name: 'watched_hours', sql: `${watched} / ${MS_PER_HOUR}` },
      { name: 'rebuffering_ratio', sql: ratio(stalled, wanted) },
      { name: 'stalls', sql: events('stall_begin') },
      { name: 'errors', sql: events('error') },
    ],
  },
} as const satisfies Readonly<Record<string, ReportDefinition>>;
/** Name of a report that groups. */
export type ReportName = keyof typeof REPORTS;

/** What rows can be told apart by, and the column that says it. */
export const DIMENSIONS = [
  'country',
  'region',
  'asn',
  'colo',
  'rendition',
  'player',
  'device',
  'browser',
  'os',
  'protocol',
  'stream',
] as const satisfies readonly ColumnName[];
/** One of {@link DIMENSIONS}. */
export type Dimension = (typeof DIMENSIONS)[number];

/** What the timeline of a session shows of each event; text columns. */
export const TIMELINE_TEXTS = [
  'event',
  'stream',
  'rendition',
  'country',
  'asn',
  'colo',
  'protocol',
  'device',
  'browser',
  'os',
  'player',
  'player_version',
  'error_code',
  'detail',
  'source',
] as const satisfies readonly ColumnName[];
/** What the timeline of a session shows of each event; numbers. */
export const TIMELINE_NUMBERS = [
  'at_ms',
  'seq',
  'watched_ms',
  'stalled_ms',
  'startup_ms',
  'bitrate',
  'height',
  'latency_ms',
  'buffer_ms',
  'dropped_frames',
  'decoded_frames',
  'played_rate',
  'rtt_ms',
  'throughput',
  'exit_before_start',
] as const satisfies readonly ColumnName[];

function total(name: ColumnName): string {
  return `sum(${WEIGHT} * ${column(name)})`;
}

function events(event: string): string {
  return `sumIf(${WEIGHT}, ${EVENT} = '${event}')`;
}

function beforeStart(event: string): string {
  return `sumIf(${WEIGHT}, ${EVENT} = '${event}' AND ${column('exit_before_start')} = 1)`;
}

function statusClass(digit: number): string {
  const status = column('status');
  return `sumIf(${WEIGHT}, ${status} >= ${digit}00 AND ${status} < ${digit + 1}00)`;
}

/** Nothing was counted where the denominator is 0, and so nothing is claimed. */
function ratio(numerator: string, denominator: string): string {
  return `if(${denominator} > 0, (${numerator}) / (${denominator}), 0)`;
}

/** Weighted by the engine's sampling alone: Rill's own is the same for all rows of a kind and moves no quantile. */
function distribution(name: ColumnName): readonly Figure[] {
  return [
    ['p50_ms', '0.5'],
    ['p95_ms', '0.95'],
    ['p99_ms', '0.99'],
  ].map(([figure = '', level]) => ({
    name: figure,
    sql: `quantileExactWeighted(${level})(${column(name)}, _sample_interval)`,
  }));
}
