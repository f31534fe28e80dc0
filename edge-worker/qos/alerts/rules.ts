/** The rules of alerts as the configuration has them: JSON in `RILL_ALERTS`. */

import { z } from 'zod';
import { parseStreamName, type StreamName } from '../../../shared/identifiers.ts';
import { fail, ok, type Result } from '../../../shared/result.ts';
import { DIMENSIONS, type ReportName } from '../reports/definitions.ts';

/** Most rules: each is a statement at every evaluation. */
const MAX_RULES = 50;
/** Longest configuration, characters. */
const MAX_LENGTH = 64 * 1024;
/** Time that a rule looks back unless told, seconds. */
const DEFAULT_WINDOW = 300;
/** Times of a rule, seconds: from nothing to a day. */
const MAX_TIME = 86_400;
/** Where the alert is over unless `clear` says so: that share of the way back from the threshold to nothing. */
const CLEAR_ABOVE = 0.8;
const CLEAR_BELOW = 1.25;
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** What a rule may watch: a figure of a report, and the figure that says how much was measured for it. */
export interface Metric {
  readonly report: ReportName;
  readonly figure: string;
  /** Figure that `least` is about; `undefined`: a count, which is 0 where there is no row. */
  readonly measuredBy: string | undefined;
}

/** The metrics by name. */
export const METRICS = {
  concurrent: { report: 'concurrents', figure: 'concurrent', measuredBy: undefined },
  rebuffering_ratio: { report: 'rebuffering', figure: 'rebuffering_ratio', measuredBy: 'watched_ms' },
  stalls_per_minute: { report: 'rebuffering', figure: 'stalls_per_minute', measuredBy: 'watched_ms' },
  startup_p50_ms: { report: 'startup', figure: 'p50_ms', measuredBy: 'starts' },
  startup_p95_ms: { report: 'startup', figure: 'p95_ms', measuredBy: 'starts' },
  start_failure_ratio: { report: 'failures', figure: 'start_failure_ratio', measuredBy: 'attempts' },
  exit_before_start_ratio: { report: 'failures', figure: 'exit_before_start_ratio', measuredBy: 'attempts' },
  errors: { report: 'failures', figure: 'errors', measuredBy: undefined },
  mean_bitrate: { report: 'bitrate', figure: 'mean_bitrate', measuredBy: 'watched_ms' },
  latency_p50_ms: { report: 'latency', figure: 'p50_ms', measuredBy: 'samples' },
  latency_p95_ms: { report: 'latency', figure: 'p95_ms', measuredBy: 'samples' },
  cache_hit_ratio: { report: 'delivery', figure: 'cache_hit_ratio', measuredBy: 'requests' },
  ttfb_p95_ms: { report: 'delivery', figure: 'ttfb_p95_ms', measuredBy: 'requests' },
} as const satisfies Readonly<Record<string, Metric>>;
/** Name of a metric. */
export type MetricName = keyof typeof METRICS;

const duration = z.string().transform((text, context): number => {
  const match = /^([0-9]{1,6})([smhd])$/.exec(text);
  const seconds = match === null ? Number.NaN : Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN);
  if (!(seconds <= MAX_TIME)) {
    context.addIssue({ code: 'custom', message: 'a duration up to a day, like 30s, 5m or 1h' });
    return z.NEVER;
  }
  return seconds;
});
const streamName = z.string().transform((text, context): StreamName => {
  const name = parseStreamName(text);
  if (!name.ok) {
    context.addIssue({ code: 'custom', message: name.failure.expected });
    return z.NEVER;
  }
  return name.value;
});
const metricNames = Object.keys(METRICS) as MetricName[];

const ruleSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'lower-case letters, digits, "-" and "_"'),
    metric: z.enum(metricNames),
    above: z.number().optional(),
    below: z.number().optional(),
    clear: z.number().optional(),
    for: duration.default(0),
    window: duration.default(DEFAULT_WINDOW),
    by: z.array(z.enum(DIMENSIONS)).max(2).default([]),
    stream: streamName.optional(),
    least: z.number().min(0).default(1),
  })
  .transform((given, context): AlertRule => {
    const { above, below, clear, ...rest } = given;
    const threshold = above ?? below;
    if (threshold === undefined || (above !== undefined && below !== undefined)) {
      context.addIssue({ code: 'custom', message: 'one of "above" and "below"' });
      return z.NEVER;
    }
    const direction = above === undefined ? 'below' : 'above';
    const clearAt = clear ?? threshold * (direction === 'above' ? CLEAR_ABOVE : CLEAR_BELOW);
    if (direction === 'above' ? clearAt > threshold : clearAt < threshold) {
      context.addIssue({ code: 'custom', message: '"clear" lies on the good side of the threshold' });
      return z.NEVER;
    }
    if (rest.window < 1) {
      context.addIssue({ code: 'custom', message: '"window" is at least 1s' });
      return z.NEVER;
    }
    return { ...rest, direction, threshold, clear: clearAt };
  });

const configurationSchema = z.strictObject({
  webhook: z.url({ protocol: /^https?$/, error: 'an http or https address' }).max(2_000),
  rules: z
    .array(ruleSchema)
    .max(MAX_RULES)
    .refine((rules) => new Set(rules.map(({ name }) => name)).size === rules.length, 'names differ'),
});

/** A rule; times in seconds. */
export interface AlertRule {
  readonly name: string;
  readonly metric: MetricName;
  readonly direction: 'above' | 'below';
  /** Beyond it the alert begins. */
  readonly threshold: number;
  /** On the good side of it, or at it, the alert ends. */
  readonly clear: number;
  /** How long the value must stay beyond the threshold, and on the good side of `clear`. */
  readonly for: number;
  /** How far the value looks back. */
  readonly window: number;
  readonly by: readonly (typeof DIMENSIONS)[number][];
  readonly stream?: StreamName | undefined;
  /** Where less was measured there is no value. */
  readonly least: number;
}

/** Where alerts go, and when there are any. */
export interface AlertConfiguration {
  readonly webhook: string;
  readonly rules: readonly AlertRule[];
}

/** What is wrong with a configuration. */
export type AlertMistake = { readonly reason: 'alerts-invalid'; readonly detail: string };

/** Reads the configuration; the failure names every mistake. */
export function readAlertConfiguration(text: string): Result<AlertConfiguration, AlertMistake> {
  if (text.length > MAX_LENGTH) {
    return invalid(`at most ${MAX_LENGTH} characters`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return invalid('not JSON');
  }
  const parsed = configurationSchema.safeParse(json);
  return parsed.success ? ok(parsed.data) : invalid(z.prettifyError(parsed.error));
}

function invalid(detail: string): Result<never, AlertMistake> {
  return fail({ reason: 'alerts-invalid', detail });
}
