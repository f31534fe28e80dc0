/** An edge with the embedded QoS engine behind it, and what tests ask of both. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChdbServer, type ChdbServer } from '../../edge-worker/host/chdb-server.ts';
import { startEdgeAlone, type EdgeAlone } from '../support/edge-alone.ts';

const PASSWORD = 'engine-password-for-tests';
/** Longest wait for rows to be there, milliseconds. */
const VISIBLE_LIMIT_MS = 20_000;
const POLL_MS = 50;

/** The edge and its engine. */
export interface ChdbEdge {
  readonly edge: EdgeAlone;
  /** The engine that runs now. */
  engine(): ChdbServer;
  /** Ends the engine; its port stays its own for the next start. */
  stopEngine(): Promise<void>;
  startEngine(): Promise<void>;
  /** Writes lines of JSONEachRow past the edge. */
  insert(rows: readonly object[]): Promise<void>;
  /** Asks the edge with a token that may ask everything. */
  ask(path: string, init?: Pick<RequestInit, 'method' | 'body'>): Promise<Response>;
  /** Asks a report until its rows are as they should be; throws with the last rows when they never are. */
  until<T>(path: string, isRight: (rows: readonly T[]) => boolean): Promise<readonly T[]>;
  stop(): Promise<void>;
}

/** Starts both. */
export async function startChdbEdge(
  options: {
    readonly variables?: Record<string, string>;
    readonly cf?: Record<string, string | number>;
    /** Pause between two evaluations of the rules of alerts, milliseconds. */
    readonly alertsEveryMs?: number;
    /** Puts something between the edge and its engine: takes the engine's address and gives the one to use. */
    readonly between?: (url: string) => Promise<string>;
  } = {},
): Promise<ChdbEdge> {
  const folder = await mkdtemp(join(tmpdir(), 'rill-chdb-'));
  let engine = await startChdbServer({ folder, port: 0, password: PASSWORD });
  const { port } = engine;
  const edge = await startEdgeAlone({
    cacheMib: 16,
    ...(options.cf === undefined ? {} : { cf: options.cf }),
    ...(options.alertsEveryMs === undefined ? {} : { alertsEveryMs: options.alertsEveryMs }),
    variables: {
      RILL_CLICKHOUSE_URL: (await options.between?.(engine.url)) ?? engine.url,
      RILL_CLICKHOUSE_PASSWORD: PASSWORD,
      ...options.variables,
    },
  });
  const analyst = await edge.sign({ scope: 'analytics', stream: '*' });
  const ask: ChdbEdge['ask'] = (path, init) =>
    fetch(`${edge.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${analyst}` },
    });
  return {
    edge,
    engine: () => engine,
    stopEngine: () => engine.close(),
    startEngine: async () => {
      engine = await startChdbServer({ folder, port, password: PASSWORD });
    },
    insert: async (rows) => {
      const url = `${engine.url}/?query=${encodeURIComponent('INSERT INTO rill_qos FORMAT JSONEachRow')}`;
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'x-clickhouse-key': PASSWORD },
        body: rows.map((row) => JSON.stringify(row)).join('\n'),
      });
      if (!answer.ok) {
        throw new Error(await answer.text());
      }
    },
    ask,
    until: async <T>(path: string, isRight: (rows: readonly T[]) => boolean) => {
      const deadline = Date.now() + VISIBLE_LIMIT_MS;
      for (;;) {
        const answer = await ask(path);
        const text = await answer.text();
        const rows: readonly T[] = answer.ok ? JSON.parse(text).rows : [];
        if (answer.ok && isRight(rows)) {
          return rows;
        }
        if (Date.now() > deadline) {
          throw new Error(`never as it should be: ${answer.status} ${text.slice(0, 2000)}`);
        }
        await sleep(POLL_MS);
      }
    },
    stop: async () => {
      await edge.stop();
      await engine.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
