/** ClickHouse over HTTP; chDB behind the same protocol. */

import { QOS_TABLE } from '../../../shared/qos/schema.ts';
import type { Env } from '../../env.ts';
import { EngineError } from './engine-error.ts';

/** Where ClickHouse is and who asks. */
export interface ClickHouse {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Longest wait for an insert, milliseconds. */
const INSERT_LIMIT_MS = 10_000;
/** Characters of an engine's message that are kept. */
const MAX_MESSAGE = 300;
/**
 * ClickHouse gathers inserts itself and answers when they are in the table, which remembers the tokens of the latest
 * ones: an insert whose answer was lost is repeated and counts once.
 */
const INSERT_SETTINGS = { async_insert: '1', wait_for_async_insert: '1', async_insert_deduplicate: '1' };

/** ClickHouse as the environment names it; `undefined` where it names none. */
export function clickHouseOf(env: Env): ClickHouse | undefined {
  const url = env.RILL_CLICKHOUSE_URL;
  if (url === undefined || url === '') {
    return undefined;
  }
  return {
    url,
    user: env.RILL_CLICKHOUSE_USER ?? 'default',
    password: env.RILL_CLICKHOUSE_PASSWORD ?? '',
    database: env.RILL_CLICKHOUSE_DATABASE ?? 'default',
  };
}

/** Writes lines of JSONEachRow, once under their token; throws an {@link EngineError}. */
export async function insertRows(
  clickHouse: ClickHouse,
  { body, token }: { readonly body: string; readonly token: string },
): Promise<void> {
  const query = `INSERT INTO ${QOS_TABLE} FORMAT JSONEachRow`;
  const parameters = { query, ...INSERT_SETTINGS, insert_deduplication_token: token };
  await ask(clickHouse, { parameters, body, limitMs: INSERT_LIMIT_MS });
}

/** Runs a statement that ends in its format, under settings; throws an {@link EngineError}. */
export async function selectText(
  clickHouse: ClickHouse,
  statement: string,
  settings: Readonly<Record<string, string>>,
  limitMs: number,
): Promise<string> {
  return ask(clickHouse, { parameters: settings, body: statement, limitMs });
}

async function ask(
  clickHouse: ClickHouse,
  request: {
    readonly parameters: Readonly<Record<string, string>>;
    readonly body: string;
    readonly limitMs: number;
  },
): Promise<string> {
  const url = new URL(clickHouse.url);
  for (const [name, value] of Object.entries({ database: clickHouse.database, ...request.parameters })) {
    url.searchParams.set(name, value);
  }
  const answer = await fetch(url, {
    method: 'POST',
    body: request.body,
    headers: { 'x-clickhouse-user': clickHouse.user, 'x-clickhouse-key': clickHouse.password },
    signal: AbortSignal.timeout(request.limitMs),
  }).catch((error: unknown) => {
    throw new EngineError('unreachable', `ClickHouse at ${url.origin} is not reached`, { cause: error });
  });
  const text = await answer.text();
  if (answer.ok) {
    return text;
  }
  const message = text.trim().slice(0, MAX_MESSAGE);
  // 400 says that the statement or the rows are wrong: they will be wrong again.
  throw new EngineError(answer.status === 400 ? 'refused' : 'failed', message);
}
