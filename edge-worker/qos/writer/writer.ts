/**
 * The QoS writer: a Durable Object that takes each event of a player once and keeps rows until ClickHouse has them.
 * Batches lie in its own storage, so that neither an engine that is away nor the object's eviction loses them, up to
 * a stated bound.
 */

import { DurableObject } from 'cloudflare:workers';
import { z } from 'zod';
import type { Env } from '../../env.ts';
import { describeError, logEvent } from '../../log.ts';
import { clickHouseOf, insertRows } from '../engine/clickhouse.ts';
import { EngineError } from '../engine/engine-error.ts';
import { HeldBatches } from './held-batches.ts';
import { parseRowLine } from './row-line.ts';
import { SeenSessions } from './seen-sessions.ts';
import { DROPPED_HEADER, POINTS_PATH, ROWS_PATH, STATUS_PATH } from './writer-address.ts';
import type { WriterStatus } from './writer-status.ts';

const MIB = 1024 * 1024;
/** Rows that wait for the engine, MiB, unless the setting says otherwise: some 300,000; beyond, they are dropped and counted. */
const DEFAULT_BUFFER_MIB = 128;
/** A row of the storage holds at most 2 MB; the outbox sends half of that. */
const MAX_BATCH_BYTES = 1_900_000;
/** Wait before the next try while the engine is away, milliseconds: doubles up to the longest. */
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;

const pointSchema = z.object({
  indexes: z.array(z.string()),
  blobs: z.array(z.string()),
  doubles: z.array(z.number()),
});

/** The one writer of an edge. */
export class QosWriter extends DurableObject<Env> {
  readonly #held: HeldBatches;
  readonly #seen: SeenSessions;
  readonly #maxBytes: number;
  #trouble: string | undefined;
  #failures = 0;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    this.#held = new HeldBatches(context.storage.sql, () => crypto.randomUUID());
    this.#seen = new SeenSessions(context.storage.sql);
    this.#maxBytes = bufferBytes(env);
  }

  /** Takes rows or points, or tells its status. */
  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === STATUS_PATH) {
      return Response.json(this.#status());
    }
    if (pathname !== ROWS_PATH && pathname !== POINTS_PATH) {
      return new Response(null, { status: 404 });
    }
    const body = await request.text();
    this.#drop(Number(request.headers.get(DROPPED_HEADER) ?? 0), 'outbox');
    if (pathname === POINTS_PATH) {
      for (const point of this.#newRows(body)) {
        this.env.QOS?.writeDataPoint(pointSchema.parse(JSON.parse(point)));
      }
    } else {
      await this.#hold(body);
    }
    return new Response(null, { status: 204 });
  }

  /** Sends what is held, oldest first, until nothing is left or the engine does not take it. */
  override async alarm(): Promise<void> {
    const clickHouse = clickHouseOf(this.env);
    if (clickHouse === undefined) {
      return;
    }
    for (let next = this.#held.next(); next !== undefined; next = this.#held.next()) {
      try {
        await insertRows(clickHouse, next);
        this.#held.finish(next, 'written');
        this.#failures = 0;
        this.#trouble = undefined;
      } catch (error) {
        this.#trouble = describeError(error);
        const facts = { rows: next.rows, buffered: this.#held.rows, cause: this.#trouble };
        logEvent('warn', 'qos-insert-failed', facts);
        if (error instanceof EngineError && error.kind === 'refused') {
          this.#held.finish(next, 'dropped');
          continue;
        }
        this.#failures += 1;
        const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures - 1, 10));
        await this.ctx.storage.setAlarm(Date.now() + wait);
        return;
      }
    }
  }

  async #hold(body: string): Promise<void> {
    if (body.length > MAX_BATCH_BYTES || this.#held.bytes + body.length > this.#maxBytes) {
      this.#drop(body.split('\n').length, 'writer');
      return;
    }
    const rows = this.#newRows(body);
    if (rows.length === 0) {
      return;
    }
    this.#held.add(rows);
    if ((await this.ctx.storage.getAlarm()) === null) {
      await this.ctx.storage.setAlarm(Date.now());
    }
  }

  /** Rows of the lines given, without those whose event has been taken before. */
  #newRows(body: string): readonly string[] {
    const lines = body === '' ? [] : body.split('\n').map(parseRowLine);
    const isNew = this.#seen.takeNew(
      lines.map(({ key }) => key),
      Date.now(),
    );
    const rows = lines.flatMap(({ row }, index) => (isNew[index] === true ? [row] : []));
    this.#held.count('replayed', lines.length - rows.length);
    return rows;
  }

  #drop(rows: number, by: 'outbox' | 'writer'): void {
    if (Number.isSafeInteger(rows) && rows > 0) {
      this.#held.count('dropped', rows);
      logEvent('warn', 'qos-rows-dropped', { rows, by, dropped: this.#held.counted('dropped') });
    }
  }

  #status(): WriterStatus {
    return {
      buffered: this.#held.rows,
      bufferedBytes: this.#held.bytes,
      maxBufferedBytes: this.#maxBytes,
      written: this.#held.counted('written'),
      dropped: this.#held.counted('dropped'),
      replayed: this.#held.counted('replayed'),
      trouble: this.#trouble ?? null,
    };
  }
}

function bufferBytes({ RILL_QOS_BUFFER_MIB: text }: Env): number {
  const given = Number(text ?? '');
  return (given >= 1 && given <= 4_096 ? given : DEFAULT_BUFFER_MIB) * MIB;
}
