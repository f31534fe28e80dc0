/**
 * The QoS writer: a Durable Object that keeps rows until ClickHouse has them. Batches lie in its own storage, so
 * that neither an engine that is away nor the object's eviction loses them, up to a stated bound.
 */

import { DurableObject } from 'cloudflare:workers';
import { z } from 'zod';
import type { Env } from '../env.ts';
import { describeError, logEvent } from '../log.ts';
import { clickHouseOf, insertRows } from './engine/clickhouse.ts';
import { EngineError } from './engine/engine-error.ts';
import { MAX_POINTS_PER_INVOCATION } from './sink.ts';
import { POINTS_PATH, ROWS_PATH, STATUS_PATH } from './writer-address.ts';

/** Bytes of rows that wait for the engine; beyond, rows are dropped and counted. Some 300,000 rows. */
const MAX_BUFFERED_BYTES = 128 * 1024 * 1024;
/** Bytes in one insert. */
const MAX_INSERT_BYTES = 4 * 1024 * 1024;
/** A row of the storage holds at most 2 MB; the outbox sends half of that. */
const MAX_BATCH_BYTES = 1_900_000;
/** Wait before the next try while the engine is away, milliseconds: doubles up to the longest. */
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;

const pointsSchema = z
  .array(z.object({ indexes: z.array(z.string()), blobs: z.array(z.string()), doubles: z.array(z.number()) }))
  .max(MAX_POINTS_PER_INVOCATION);

/** What the writer has done, in rows. */
export interface WriterStatus {
  readonly buffered: number;
  readonly bufferedBytes: number;
  readonly maxBufferedBytes: number;
  readonly written: number;
  readonly dropped: number;
  /** What the engine said last, where it does not take rows. */
  readonly trouble: string | null;
}

/** The one writer of an edge. */
export class QosWriter extends DurableObject<Env> {
  #trouble: string | undefined;
  #failures = 0;
  #buffered = { rows: 0, bytes: 0 };

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    const { sql } = context.storage;
    sql.exec(
      'CREATE TABLE IF NOT EXISTS batch (id INTEGER PRIMARY KEY, rows INTEGER, bytes INTEGER, body TEXT)',
    );
    sql.exec('CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER)');
    const held = sql
      .exec('SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(bytes), 0) AS bytes FROM batch')
      .one();
    this.#buffered = { rows: Number(held['rows']), bytes: Number(held['bytes']) };
  }

  /** Takes rows or points, or tells its status. */
  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === STATUS_PATH) {
      return Response.json(this.#status());
    }
    if (pathname === POINTS_PATH) {
      for (const point of pointsSchema.parse(await request.json())) {
        this.env.QOS?.writeDataPoint(point);
      }
      return new Response(null, { status: 204 });
    }
    if (pathname !== ROWS_PATH) {
      return new Response(null, { status: 404 });
    }
    await this.#take(await request.text());
    return new Response(null, { status: 204 });
  }

  /** Sends what is held, oldest first, until nothing is left or the engine does not take it. */
  override async alarm(): Promise<void> {
    const clickHouse = clickHouseOf(this.env);
    if (clickHouse === undefined) {
      return;
    }
    for (let next = this.#oldest(); next.ids.length > 0; next = this.#oldest()) {
      try {
        await insertRows(clickHouse, next.body);
        this.#finish(next, 'written');
        this.#failures = 0;
        this.#trouble = undefined;
      } catch (error) {
        this.#trouble = describeError(error);
        logEvent('warn', 'qos-insert-failed', {
          rows: next.rows,
          buffered: this.#buffered.rows,
          cause: this.#trouble,
        });
        if (error instanceof EngineError && error.kind === 'refused') {
          this.#finish(next, 'dropped');
          continue;
        }
        this.#failures += 1;
        const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures - 1, 10));
        await this.ctx.storage.setAlarm(Date.now() + wait);
        return;
      }
    }
  }

  async #take(body: string): Promise<void> {
    const rows = body === '' ? 0 : body.split('\n').length;
    const bytes = body.length;
    if (rows === 0) {
      return;
    }
    if (bytes > MAX_BATCH_BYTES || this.#buffered.bytes + bytes > MAX_BUFFERED_BYTES) {
      this.#count('dropped', rows);
      return;
    }
    this.ctx.storage.sql.exec('INSERT INTO batch (rows, bytes, body) VALUES (?, ?, ?)', rows, bytes, body);
    this.#buffered = { rows: this.#buffered.rows + rows, bytes: this.#buffered.bytes + bytes };
    if ((await this.ctx.storage.getAlarm()) === null) {
      await this.ctx.storage.setAlarm(Date.now());
    }
  }

  #oldest(): {
    readonly ids: readonly number[];
    readonly rows: number;
    readonly bytes: number;
    readonly body: string;
  } {
    const bodies: string[] = [];
    const ids: number[] = [];
    let rows = 0;
    let bytes = 0;
    for (const batch of this.ctx.storage.sql.exec(
      'SELECT id, rows, bytes, body FROM batch ORDER BY id LIMIT 64',
    )) {
      const size = Number(batch['bytes']);
      if (ids.length > 0 && bytes + size > MAX_INSERT_BYTES) {
        break;
      }
      ids.push(Number(batch['id']));
      bodies.push(typeof batch['body'] === 'string' ? batch['body'] : '');
      rows += Number(batch['rows']);
      bytes += size;
    }
    return { ids, rows, bytes, body: bodies.join('\n') };
  }

  #finish(
    sent: { readonly ids: readonly number[]; readonly rows: number; readonly bytes: number },
    as: string,
  ): void {
    for (const id of sent.ids) {
      this.ctx.storage.sql.exec('DELETE FROM batch WHERE id = ?', id);
    }
    this.#buffered = { rows: this.#buffered.rows - sent.rows, bytes: this.#buffered.bytes - sent.bytes };
    this.#count(as, sent.rows);
  }

  #count(name: string, rows: number): void {
    this.ctx.storage.sql.exec(
      'INSERT INTO counter (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value',
      name,
      rows,
    );
  }

  #counted(name: string): number {
    const [row] = this.ctx.storage.sql.exec('SELECT value FROM counter WHERE name = ?', name).toArray();
    return Number(row?.['value'] ?? 0);
  }

  #status(): WriterStatus {
    return {
      buffered: this.#buffered.rows,
      bufferedBytes: this.#buffered.bytes,
      maxBufferedBytes: MAX_BUFFERED_BYTES,
      written: this.#counted('written'),
      dropped: this.#counted('dropped'),
      trouble: this.#trouble ?? null,
    };
  }
}
