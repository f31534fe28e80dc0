/**
 * Keeps alerts: a Durable Object that evaluates the rules when it is told to, remembers where each series stands,
 * and delivers what changed until the webhook has it or the last try has failed.
 */

import { DurableObject } from 'cloudflare:workers';
import { z } from 'zod';
import type { Env } from '../../env.ts';
import { describeError, logEvent } from '../../log.ts';
import { queryEngine, type RunStatement, type StatementLimits } from '../engine/query-engine.ts';
import { ALERTS_PATH, EVALUATE_PATH } from './alert-address.ts';
import { evaluateRule, seriesKey, type AlertChange, type AlertState } from './evaluate.ts';
import { readingsOf, ruleStatement } from './readings.ts';
import { readAlertConfiguration, type AlertConfiguration, type AlertRule } from './rules.ts';
import { sendMessage } from './webhook.ts';

const GIB = 1024 * 1024 * 1024;
const LIMITS: StatementLimits = { seconds: 10, rows: 10_000, memoryBytes: GIB, distinct: 'estimated' };
/** Messages that wait for the webhook; beyond, the oldest are dropped and logged. */
const MAX_WAITING = 1_000;
/** Tries of one message: over about fifty minutes. */
const MAX_TRIES = 12;
/** Pause after a failed try, milliseconds: doubles up to the longest. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 900_000;

const stateSchema = z.object({
  kind: z.enum(['pending', 'firing']),
  series: z.array(z.string()),
  since: z.number(),
  value: z.number(),
  clearSince: z.number().optional(),
});

/** What `GET /v1/qos/alerts` tells. */
export interface AlertsNow {
  /** What is wrong with the configuration, or the last evaluation. */
  readonly trouble: string | null;
  readonly rules: readonly AlertRule[];
  readonly alerts: readonly (AlertState & { readonly rule: string })[];
  /** Messages that the webhook has not taken yet. */
  readonly waiting: number;
  /** Messages given up. */
  readonly dropped: number;
}

/** The one keeper of an edge. */
export class AlertKeeper extends DurableObject<Env> {
  #isEvaluating = false;
  #trouble: string | undefined;
  #dropped = 0;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    const { sql } = context.storage;
    sql.exec(
      'CREATE TABLE IF NOT EXISTS state (rule TEXT, series TEXT, body TEXT, PRIMARY KEY (rule, series))',
    );
    sql.exec(
      'CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY AUTOINCREMENT, tries INTEGER, body TEXT)',
    );
  }

  /** Evaluates, or tells how things stand. */
  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const configuration = this.#configuration();
    if (request.method === 'POST' && pathname === EVALUATE_PATH) {
      if (configuration !== undefined && !this.#isEvaluating) {
        this.#isEvaluating = true;
        try {
          await this.#evaluate(configuration);
        } finally {
          this.#isEvaluating = false;
        }
      }
      return new Response(null, { status: 204 });
    }
    return pathname === ALERTS_PATH
      ? Response.json(this.#now(configuration))
      : new Response(null, { status: 404 });
  }

  /** Sends what waits, oldest first; a message that is not taken holds up those behind it, so order is kept. */
  override async alarm(): Promise<void> {
    const configuration = this.#configuration();
    if (configuration === undefined) {
      return;
    }
    const { sql } = this.ctx.storage;
    for (;;) {
      const [row] = sql.exec('SELECT id, tries, body FROM message ORDER BY id LIMIT 1').toArray();
      if (row === undefined) {
        return;
      }
      const id = Number(row['id']);
      const tries = Number(row['tries']) + 1;
      const why = await sendMessage(
        { id: `${this.ctx.id.toString()}-${id}`, body: textIn(row, 'body') },
        {
          url: configuration.webhook,
          key: this.env.RILL_ALERTS_KEY ?? '',
          now: Math.floor(Date.now() / 1000),
        },
      );
      if (why !== undefined && tries < MAX_TRIES) {
        sql.exec('UPDATE message SET tries = ? WHERE id = ?', tries, id);
        logEvent('warn', 'alert-not-delivered', { cause: why, tries });
        await this.ctx.storage.setAlarm(Date.now() + pauseAfter(tries));
        return;
      }
      sql.exec('DELETE FROM message WHERE id = ?', id);
      if (why !== undefined) {
        this.#dropped += 1;
        logEvent('error', 'alert-given-up', { cause: why, tries });
      }
    }
  }

  #configuration(): AlertConfiguration | undefined {
    const text = this.env.RILL_ALERTS ?? '';
    if (text === '') {
      return undefined;
    }
    const read = readAlertConfiguration(text);
    if (read.ok) {
      return read.value;
    }
    this.#trouble = `RILL_ALERTS: ${read.failure.detail}`;
    logEvent('error', 'alerts-misconfigured', { cause: read.failure.detail });
    return undefined;
  }

  async #evaluate(configuration: AlertConfiguration): Promise<void> {
    const run = queryEngine(this.env);
    if (run === undefined) {
      this.#trouble =
        'no engine answers statements: set RILL_CLICKHOUSE_URL, or RILL_ANALYTICS_ACCOUNT and RILL_ANALYTICS_TOKEN';
      return;
    }
    this.#trouble = undefined;
    this.#endRemovedRules(configuration.rules);
    for (const rule of configuration.rules) {
      try {
        await this.#evaluateOne(rule, run);
      } catch (error) {
        // What stands, stands until the engine answers again.
        this.#trouble = `${rule.name}: ${describeError(error)}`;
        logEvent('warn', 'alert-not-evaluated', { rule: rule.name, cause: describeError(error) });
      }
    }
    await this.#sendSoon();
  }

  async #evaluateOne(rule: AlertRule, run: RunStatement): Promise<void> {
    const now = Math.floor(Date.now() / 1000);
    const { rows } = await run(ruleStatement(rule, now).sql, LIMITS);
    const before = this.#states(rule.name);
    const readings = readingsOf(rule, rows, before.values());
    const { states, changes } = evaluateRule(rule, before, readings, now);
    this.ctx.storage.transactionSync(() => {
      this.ctx.storage.sql.exec('DELETE FROM state WHERE rule = ?', rule.name);
      for (const [key, state] of states) {
        this.ctx.storage.sql.exec(
          'INSERT INTO state (rule, series, body) VALUES (?, ?, ?)',
          ...[rule.name, key, JSON.stringify(state)],
        );
      }
      for (const change of changes) {
        this.#put(messageOf(rule, change, now));
      }
    });
  }

  /** An alert of a rule that is no longer configured would never end. */
  #endRemovedRules(rules: readonly AlertRule[]): void {
    const { sql } = this.ctx.storage;
    const names = new Set(rules.map(({ name }) => name));
    for (const row of sql.exec('SELECT DISTINCT rule FROM state').toArray()) {
      const rule = textIn(row, 'rule');
      if (!names.has(rule)) {
        const firing = [...this.#states(rule).values()].filter(({ kind }) => kind === 'firing');
        for (const { series, since } of firing) {
          this.#put({ kind: 'resolved', rule, series, since, value: null, reason: 'rule removed' });
        }
        sql.exec('DELETE FROM state WHERE rule = ?', rule);
      }
    }
  }

  #put(message: object): void {
    const { sql } = this.ctx.storage;
    sql.exec('INSERT INTO message (tries, body) VALUES (0, ?)', JSON.stringify(message));
    const waiting = this.#waiting();
    if (waiting > MAX_WAITING) {
      sql.exec(
        'DELETE FROM message WHERE id IN (SELECT id FROM message ORDER BY id LIMIT ?)',
        waiting - MAX_WAITING,
      );
      this.#dropped += waiting - MAX_WAITING;
      logEvent('error', 'alert-given-up', { cause: `more than ${MAX_WAITING} wait` });
    }
  }

  async #sendSoon(): Promise<void> {
    if (this.#waiting() > 0 && (await this.ctx.storage.getAlarm()) === null) {
      await this.ctx.storage.setAlarm(Date.now());
    }
  }

  #waiting(): number {
    return Number(this.ctx.storage.sql.exec('SELECT count(*) AS n FROM message').one()['n']);
  }

  #states(rule: string): ReadonlyMap<string, AlertState> {
    const rows = this.ctx.storage.sql.exec('SELECT body FROM state WHERE rule = ?', rule).toArray();
    return new Map(
      rows.map((row) => {
        const state = stateSchema.parse(JSON.parse(textIn(row, 'body')));
        const { clearSince, ...rest } = state;
        return [seriesKey(state.series), clearSince === undefined ? rest : { ...rest, clearSince }];
      }),
    );
  }

  #now(configuration: AlertConfiguration | undefined): AlertsNow {
    const rules = configuration?.rules ?? [];
    return {
      trouble: this.#trouble ?? null,
      rules,
      alerts: rules.flatMap(({ name }) =>
        [...this.#states(name).values()].map((state) => ({ rule: name, ...state })),
      ),
      waiting: this.#waiting(),
      dropped: this.#dropped,
    };
  }
}

function messageOf(rule: AlertRule, change: AlertChange, at: number): object {
  const { metric, direction, threshold, clear, window } = rule;
  const where = Object.fromEntries(rule.by.map((name, index) => [name, change.series[index] ?? '']));
  return {
    ...{ kind: change.kind, rule: rule.name, metric, stream: rule.stream ?? null, where },
    ...{ value: change.value, direction, threshold, clear, window, since: change.since, at },
  };
}

function pauseAfter(tries: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1));
}

function textIn(row: Readonly<Record<string, unknown>>, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : '';
}
