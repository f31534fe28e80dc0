/** When an alert begins and ends: a pure function of what was, what is measured, and the time. */

import type { AlertRule } from './rules.ts';

/** Series of one rule that are watched at once; others are left out until there is room. */
export const MAX_SERIES = 1_000;

/** A value of one series; the series is the values of the rule's dimensions in their order. */
export interface Reading {
  readonly series: readonly string[];
  readonly value: number;
}

/** Where a series stands; a series that is as it should be has no state. Times are Unix seconds. */
export interface AlertState {
  readonly kind: 'pending' | 'firing';
  readonly series: readonly string[];
  /** When its value was first seen beyond the threshold. */
  readonly since: number;
  /** The value seen last. */
  readonly value: number;
  /** While firing: since when the value has been on the good side of `clear`. */
  readonly clearSince?: number;
}

/** What is told to the webhook. */
export interface AlertChange {
  readonly kind: 'firing' | 'resolved';
  readonly series: readonly string[];
  readonly since: number;
  readonly value: number | null;
}

/** What follows from an evaluation. */
export interface Evaluation {
  /** By {@link seriesKey}. */
  readonly states: ReadonlyMap<string, AlertState>;
  readonly changes: readonly AlertChange[];
}

/** The name under which a series' state is kept. */
export function seriesKey(series: readonly string[]): string {
  return JSON.stringify(series);
}

/**
 * Evaluates a rule. A value beyond the threshold for as long as `for` says makes an alert; a value at `clear` or
 * on its good side for as long, or none at all, ends it. In between nothing changes: that is the hysteresis.
 */
export function evaluateRule(
  rule: AlertRule,
  before: ReadonlyMap<string, AlertState>,
  readings: readonly Reading[],
  now: number,
): Evaluation {
  const measured = new Map(readings.map((reading) => [seriesKey(reading.series), reading]));
  const states = new Map<string, AlertState>();
  const changes: AlertChange[] = [];
  const take = (key: string, next: Step): void => {
    if (next.state !== undefined) {
      states.set(key, next.state);
    }
    if (next.change !== undefined) {
      changes.push(next.change);
    }
  };
  for (const [key, state] of before) {
    take(key, stepKnown(rule, state, { value: measured.get(key)?.value, now }));
  }
  for (const [key, { series, value }] of measured) {
    if (!before.has(key) && states.size < MAX_SERIES && isBeyond(rule, value)) {
      take(key, stepPending(rule, { kind: 'pending', series, since: now, value }, now));
    }
  }
  return { states, changes };
}

interface Step {
  readonly state?: AlertState;
  readonly change?: AlertChange;
}

function stepKnown(
  rule: AlertRule,
  state: AlertState,
  { value, now }: { readonly value: number | undefined; readonly now: number },
): Step {
  if (state.kind === 'pending') {
    return value !== undefined && isBeyond(rule, value) ? stepPending(rule, { ...state, value }, now) : {};
  }
  const { clearSince, ...firing } = state;
  if (value !== undefined && !isClear(rule, value)) {
    return { state: { ...firing, value } };
  }
  const since = clearSince ?? now;
  if (now - since < rule.for) {
    return { state: { ...firing, value: value ?? state.value, clearSince: since } };
  }
  return { change: { kind: 'resolved', series: state.series, since: state.since, value: value ?? null } };
}

function stepPending(rule: AlertRule, pending: AlertState, now: number): Step {
  if (now - pending.since < rule.for) {
    return { state: pending };
  }
  const { series, since, value } = pending;
  return { state: { ...pending, kind: 'firing' }, change: { kind: 'firing', series, since, value } };
}

function isBeyond({ direction, threshold }: AlertRule, value: number): boolean {
  return direction === 'above' ? value > threshold : value < threshold;
}

function isClear({ direction, clear }: AlertRule, value: number): boolean {
  return direction === 'above' ? value <= clear : value >= clear;
}
