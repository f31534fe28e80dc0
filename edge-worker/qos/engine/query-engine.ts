/** The engine that answers statements: ClickHouse (or chDB), else Analytics Engine's SQL API. */

import { z } from 'zod';
import { QOS_TABLE } from '../../../shared/qos/schema.ts';
import type { Env } from '../../env.ts';
import { clickHouseOf, selectText } from './clickhouse.ts';
import { EngineError } from './engine-error.ts';

/** Limits of one statement. */
export interface StatementLimits {
  readonly seconds: number;
  readonly rows: number;
  readonly memoryBytes: number;
  /** `estimated`: many distinct values are counted within half a per cent, at a fourth of the cost. */
  readonly distinct: 'exact' | 'estimated';
}

/** An engine's answer. */
export interface EngineRows {
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** Answers one statement without `FORMAT`; throws an {@link EngineError}. */
export type RunStatement = (statement: string, limits: StatementLimits) => Promise<EngineRows>;

/** Analytics Engine's SQL API, account by account. */
const ANALYTICS_API = 'https://api.cloudflare.com/client/v4/accounts';
/** The table as statements name it; a data set may have another name. */
const FROM_TABLE = new RegExp(`\\bfrom\\s+${QOS_TABLE}\\b`, 'gi');
const DATASET = /^[a-z][a-z0-9_]{0,62}$/i;
/** ClickHouse's way to estimate: exact for some thousand values, then 2^17 counters. */
export const ESTIMATED_DISTINCT = { count_distinct_implementation: 'uniqCombined64' };
/** Time for an engine's answer to travel, beyond what the statement may take, milliseconds. */
const TRAVEL_MS = 2_000;
const MAX_MESSAGE = 300;

const answerSchema = z.object({
  meta: z.array(z.object({ name: z.string() })),
  data: z.array(z.record(z.string(), z.unknown())),
});

/** The engine that the environment is set up for; `undefined` where there is none to ask. */
export function queryEngine(env: Env): RunStatement | undefined {
  const clickHouse = clickHouseOf(env);
  if (clickHouse !== undefined) {
    return async (statement, limits) => {
      const settings = readOnlySettings(limits);
      const text = await selectText(clickHouse, `${statement}\nFORMAT JSON`, settings, waitFor(limits));
      return readRows(text);
    };
  }
  const { RILL_ANALYTICS_ACCOUNT: account, RILL_ANALYTICS_TOKEN: token } = env;
  return account === undefined || token === undefined || account === '' || token === ''
    ? undefined
    : async (statement, limits) =>
        askAnalyticsEngine({
          account,
          token,
          statement: fromDataset(statement, env.RILL_ANALYTICS_DATASET),
          limits,
        });
}

/** A statement on the data set of another name, as staging has one beside production. */
export function fromDataset(statement: string, dataset: string = QOS_TABLE): string {
  return DATASET.test(dataset) ? statement.replace(FROM_TABLE, `FROM ${dataset}`) : statement;
}

function readOnlySettings(limits: StatementLimits): Readonly<Record<string, string>> {
  return {
    readonly: '1',
    max_execution_time: String(limits.seconds),
    max_result_rows: String(limits.rows),
    result_overflow_mode: 'throw',
    max_memory_usage: String(limits.memoryBytes),
    ...(limits.distinct === 'estimated' ? ESTIMATED_DISTINCT : {}),
  };
}

async function askAnalyticsEngine(input: {
  readonly account: string;
  readonly token: string;
  readonly statement: string;
  readonly limits: StatementLimits;
}): Promise<EngineRows> {
  const url = `${ANALYTICS_API}/${encodeURIComponent(input.account)}/analytics_engine/sql`;
  const answer = await fetch(url, {
    method: 'POST',
    body: `${input.statement}\nFORMAT JSON`,
    headers: { authorization: `Bearer ${input.token}` },
    signal: AbortSignal.timeout(waitFor(input.limits)),
  }).catch((error: unknown) => {
    throw new EngineError('unreachable', "Analytics Engine's SQL API is not reached", { cause: error });
  });
  const text = await answer.text();
  if (!answer.ok) {
    const kind = answer.status >= 400 && answer.status < 500 ? 'refused' : 'failed';
    throw new EngineError(kind, text.trim().slice(0, MAX_MESSAGE));
  }
  const rows = readRows(text);
  if (rows.rows.length > input.limits.rows) {
    throw new EngineError('refused', `more than ${input.limits.rows} rows: add a LIMIT`);
  }
  return rows;
}

function readRows(text: string): EngineRows {
  try {
    const { meta, data } = answerSchema.parse(JSON.parse(text));
    return { columns: meta.map(({ name }) => name), rows: data };
  } catch (error) {
    throw new EngineError('failed', 'the engine answered with something else than rows', { cause: error });
  }
}

function waitFor(limits: StatementLimits): number {
  return limits.seconds * 1000 + TRAVEL_MS;
}
