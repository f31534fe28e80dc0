/** A rule's readings: its report's statement, and what the rows say. */

import { reportStatement, type ReportStatement } from '../reports/report-sql.ts';
import type { AlertState, Reading } from './evaluate.ts';
import { METRICS, type AlertRule, type Metric } from './rules.ts';

/** The statement that a rule's value comes from; `now` is Unix seconds. */
export function ruleStatement(rule: AlertRule, now: number): ReportStatement {
  return reportStatement({
    report: METRICS[rule.metric].report,
    stream: rule.stream,
    // What was taken in during the present second belongs to it.
    ...{ from: now + 1 - rule.window, to: now + 1 },
    step: undefined,
    by: rule.by,
  });
}

/**
 * Readings of the rows. Where less than `least` was measured there is no value; a count without a row is 0 for the
 * series that are known.
 */
export function readingsOf(
  rule: AlertRule,
  rows: readonly Readonly<Record<string, unknown>>[],
  known: Iterable<AlertState>,
): readonly Reading[] {
  const { figure, measuredBy }: Metric = METRICS[rule.metric];
  const readings = rows.flatMap((row): readonly Reading[] => {
    const value = Number(row[figure]);
    const measured = measuredBy === undefined ? rule.least : Number(row[measuredBy]);
    const series = rule.by.map((name) => textOf(row[name]));
    return Number.isFinite(value) && measured >= rule.least ? [{ series, value }] : [];
  });
  if (measuredBy !== undefined) {
    return readings;
  }
  const there = new Set(readings.map(({ series }) => series.join('\0')));
  const gone = [...known].filter(({ series }) => !there.has(series.join('\0')));
  return [...readings, ...gone.map(({ series }) => ({ series, value: 0 }))];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
