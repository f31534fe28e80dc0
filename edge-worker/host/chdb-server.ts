/**
 * ClickHouse's HTTP interface in front of chDB, the engine as a library: the part of it that the edge uses, so
 * that `npm start` and tests speak to the embedded engine exactly as a deployment speaks to ClickHouse.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { Session } from 'chdb';
import { createTableStatement, rememberInsertsStatement } from '../../shared/qos/table-definition.ts';

/** Longest statement or batch, bytes: the edge sends at most 8 MiB. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** Statements that wait for the engine; it takes one at a time. */
const MAX_WAITING = 64;
/** `INSERT INTO table [(…)] FORMAT JSONEachRow`, the one form that writes. */
const INSERT = /^\s*INSERT\s+INTO\s+([a-z_][a-z0-9_]*)\s+FORMAT\s+JSONEachRow\s*$/i;
/** `FORMAT name` at a statement's end; settings stand before it. */
const FORMAT = /\s+FORMAT\s+([A-Za-z]+)\s*;?\s*$/i;
/** URL parameters that are settings of the statement. */
const SETTINGS: ReadonlySet<string> = new Set([
  'readonly',
  'max_execution_time',
  'max_result_rows',
  'max_result_bytes',
  'max_memory_usage',
  'max_rows_to_read',
  'result_overflow_mode',
  'output_format_json_quote_64bit_integers',
  'count_distinct_implementation',
]);
const NUMBER_OR_WORD = /^(?:[0-9]{1,18}|[a-z][A-Za-z0-9]{0,31})$/;

/** A running engine. */
export interface ChdbServer {
  readonly url: string;
  readonly port: number;
  /** Ends the server and then the engine; what was written stays in the folder. */
  readonly close: () => Promise<void>;
}

/** Starts the engine in a folder; throws where the optional package `chdb` is not installed. */
export async function startChdbServer(options: {
  readonly folder: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** What callers show as `X-ClickHouse-Key`. */
  readonly password: string;
}): Promise<ChdbServer> {
  const chdb = await import('chdb');
  const engine = new Engine(new chdb.Session(options.folder));
  await engine.select(createTableStatement(), 'JSON');
  // A folder of an earlier version has a table that remembers none.
  await engine.select(rememberInsertsStatement(), 'JSON');
  const server = createServer((request, response) => {
    void answer(request, response, { engine, password: options.password });
  });
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await engine.close();
    },
  };
}

/** One statement after the other: the connection has one result buffer. */
class Engine {
  readonly #session: Session;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  get isFull(): boolean {
    return this.#waiting >= MAX_WAITING;
  }

  async select(statement: string, format: string): Promise<Uint8Array> {
    return this.#inTurn(async () => {
      try {
        return (await this.#session.queryAsync(statement, { format })).bytes();
      } catch (error) {
        // A statement that fails half way leaves its beginning in the buffer of the next result.
        await this.#session.queryAsync('SELECT 1', { format: 'Null' }).catch(() => undefined);
        throw error;
      }
    });
  }

  /** An insert under a token that the table remembers writes nothing. */
  async insert(table: string, rows: Buffer, token: string | null): Promise<number> {
    const settings = token === null ? {} : { insert_deduplication_token: token };
    return this.#inTurn(async () => {
      const summary = await this.#session.insert({ table, values: rows, format: 'JSONEachRow', settings });
      return summary.rowsWritten;
    });
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined);
    this.#session.close();
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  context: { readonly engine: Engine; readonly password: string },
): Promise<void> {
  const reply = (status: number, body: string | Uint8Array, type = 'text/plain; charset=UTF-8'): void => {
    response.writeHead(status, { 'content-type': type }).end(body);
  };
  try {
    const url = new URL(request.url ?? '/', 'http://engine');
    if (request.method === 'GET' && url.pathname === '/ping') {
      reply(200, 'Ok.\n');
      return;
    }
    if (request.method !== 'POST' || url.pathname !== '/') {
      reply(404, 'POST / with a statement, or GET /ping\n');
      return;
    }
    if (request.headers['x-clickhouse-key'] !== context.password) {
      reply(403, 'Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)\n');
      return;
    }
    const body = await readLimited(request);
    if (body === undefined || context.engine.isFull) {
      reply(
        body === undefined ? 413 : 503,
        'Code: 202. DB::Exception: Too much at once. (TOO_MANY_SIMULTANEOUS_QUERIES)\n',
      );
      return;
    }
    const insert = INSERT.exec(url.searchParams.get('query') ?? '');
    if (insert?.[1] !== undefined) {
      const token = url.searchParams.get('insert_deduplication_token');
      const rows = body.length === 0 ? 0 : await context.engine.insert(insert[1], body, token);
      response.setHeader('x-clickhouse-summary', JSON.stringify({ written_rows: String(rows) }));
      reply(200, '');
      return;
    }
    const { statement, format } = readStatement(url, body);
    reply(200, await context.engine.select(statement, format), 'application/json; charset=UTF-8');
  } catch (error) {
    reply(500, `${error instanceof Error ? error.message : String(error)}\n`);
  }
}

/** The statement with the URL's settings in it, and its format. */
function readStatement(url: URL, body: Buffer): { readonly statement: string; readonly format: string } {
  const text = `${url.searchParams.get('query') ?? ''}${body.toString('utf8')}`;
  const format = FORMAT.exec(text)?.[1] ?? url.searchParams.get('default_format') ?? 'TabSeparated';
  const settings = [...url.searchParams].filter(
    ([name, value]) => SETTINGS.has(name) && NUMBER_OR_WORD.test(value),
  );
  const clause = settings.map(([name, value]) => `${name} = ${/^[0-9]/.test(value) ? value : `'${value}'`}`);
  const bare = text.replace(FORMAT, '').trimEnd();
  return { statement: clause.length === 0 ? bare : `${bare}\nSETTINGS ${clause.join(', ')}`, format };
}

async function readLimited(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes: Buffer = chunk;
    length += bytes.length;
    if (length > MAX_BODY_BYTES) {
      return undefined;
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
