/** What viewers and rows meet when the QoS engine goes away and comes back, and what requests become in it. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RENDITION } from '../support/scripted-origin.ts';
import { startChdbEdge, type ChdbEdge } from './chdb-edge.ts';

const SESSIONS = 40;
/** What the writer may hold, MiB: some 3,000 rows. */
const BUFFER_MIB = 1;
/** Events of one beacon. */
const EVENTS = 100;
const LIMIT = { timeout: 15_000 };

interface Row {
  readonly [name: string]: number;
}

interface Status {
  readonly buffered: number;
  readonly bufferedBytes: number;
  readonly dropped: number;
}

let system: ChdbEdge;
let proxy: Server;
/** Whether the answers of inserts that the engine has taken are lost on their way. */
let losesAnswers = false;
let lost = 0;

beforeAll(async () => {
  system = await startChdbEdge({
    variables: { RILL_QOS_DELIVERY_SAMPLE: '1', RILL_QOS_BUFFER_MIB: String(BUFFER_MIB) },
    between: async (engine) => {
      proxy = createServer((request, response) => void forward(engine, request, response));
      proxy.listen(0, '127.0.0.1');
      await once(proxy, 'listening');
      const address = proxy.address();
      return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    },
  });
  await system.edge.origin.publishPart(new Uint8Array(1_000));
});
afterAll(async () => {
  await system.stop();
  proxy.close();
});

async function forward(engine: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(Buffer.from(chunk));
  }
  const headers = { 'x-clickhouse-key': String(request.headers['x-clickhouse-key']) };
  try {
    const body = Buffer.concat(chunks);
    const answer = await fetch(`${engine}${request.url}`, { method: 'POST', headers, body });
    const text = await answer.text();
    if (losesAnswers && request.url?.includes('INSERT') === true) {
      lost += 1;
      response.destroy();
      return;
    }
    response.writeHead(answer.status).end(text);
  } catch {
    response.destroy();
  }
}

async function beacons(
  name: string,
  count: number,
  make: (at: number) => readonly object[],
): Promise<readonly number[]> {
  const token = await system.edge.sign({ stream: 'show', sub: 'viewer' });
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const at = Date.now();
      const answer = await fetch(`${system.edge.url}/t/${token}/beacon`, {
        method: 'POST',
        body: JSON.stringify({
          ...{ v: 1, session: `${name}${index}`, stream: 'show', player: 'rill', playerVersion: '1' },
          ...{ sentAt: at, events: make(at) },
        }),
      });
      return answer.status;
    }),
  );
}

const starts = (at: number): readonly object[] => [{ event: 'session_start', at, seq: 0 }];

async function status(): Promise<Status> {
  return (await system.ask('/v1/qos/status')).json();
}

test('rows wait while the engine is away, their number is shown, and none is lost when it is back', async () => {
  expect(new Set(await beacons('a', SESSIONS, starts))).toEqual(new Set([204]));
  await system.until<Row>('/v1/qos/sessions?stream=show', (rows) => rows[0]?.['attempts'] === SESSIONS);
  await system.stopEngine();
  expect(new Set(await beacons('b', SESSIONS, starts))).toEqual(new Set([204]));
  expect((await fetch(`${system.edge.streamUrl}/index.m3u8`)).status).toBe(200);
  await expect
    .poll(async () => (await system.ask('/v1/qos/status')).json(), LIMIT)
    .toMatchObject({ dropped: 0, trouble: expect.stringContaining('not reached') });
  expect((await status()).buffered).toBeGreaterThanOrEqual(SESSIONS);
  expect((await system.ask('/v1/qos/sessions')).status).toBe(503);
  await system.startEngine();
  await system.until<Row>('/v1/qos/sessions?stream=show', (rows) => rows[0]?.['attempts'] === 2 * SESSIONS);
  await expect
    .poll(async () => (await system.ask('/v1/qos/status')).json(), LIMIT)
    .toMatchObject({ dropped: 0, buffered: 0, trouble: null });
});

test('an insert whose answer is lost is repeated, and its rows count once', async () => {
  losesAnswers = true;
  await beacons('lost', SESSIONS, starts);
  await expect.poll(() => lost, LIMIT).toBeGreaterThanOrEqual(2);
  // More rows come meanwhile: the repeated insert stays the one it was.
  await beacons('more', SESSIONS, starts);
  losesAnswers = false;
  await expect.poll(async () => (await status()).buffered, LIMIT).toBe(0);
  await system.until<Row>('/v1/qos/sessions?stream=show', (rows) => rows[0]?.['attempts'] === 4 * SESSIONS);
});

test('beyond the bound rows are dropped and counted, media goes on, and what was held is written', async () => {
  await system.stopEngine();
  const events = (at: number): readonly object[] =>
    Array.from({ length: EVENTS }, (_, seq) => ({ event: 'seek', at, seq, watchedMs: 7 }));
  for (let round = 0; round < 3; round += 1) {
    expect(new Set(await beacons(`full${round}-`, SESSIONS, events))).toEqual(new Set([204]));
    // Batches leave twice a second.
    await expect
      .poll(async () => (await status()).buffered + (await status()).dropped, LIMIT)
      .toBeGreaterThan(0);
    const answer = await fetch(`${system.edge.streamUrl}/index.m3u8`);
    expect([answer.status, (await answer.text()).startsWith('#EXTM3U')]).toEqual([200, true]);
  }
  const sent = 3 * SESSIONS * EVENTS;
  const settled = await expect
    .poll(async () => {
      const { buffered, dropped } = await status();
      return buffered + dropped >= sent;
    }, LIMIT)
    .toBe(true)
    .then(status);
  expect(settled.bufferedBytes).toBeLessThanOrEqual(BUFFER_MIB * 1024 * 1024);
  expect(settled.dropped).toBeGreaterThan(sent / 2);
  const text = await (await system.ask('/v1/qos/now?format=prometheus')).text();
  expect(text).toContain(`rill_qos_rows_dropped_total ${settled.dropped}\n`);
  expect(text).toContain(`rill_qos_buffer_limit_bytes ${BUFFER_MIB * 1024 * 1024}\n`);
  await system.startEngine();
  await expect.poll(async () => (await status()).buffered, LIMIT).toBe(0);
  const seeks = await system.ask('/v1/qos/sql', {
    method: 'POST',
    body: "SELECT count() AS n FROM rill_qos WHERE blob1 = 'seek'",
  });
  const { dropped } = await status();
  expect(Number((await seeks.json()).rows[0].n)).toBeGreaterThanOrEqual(sent - dropped);
});

test('requests become delivery points, and CMCD in them a session', async () => {
  const cmcd = encodeURIComponent('bl=2100,br=1500,bs,mtp=9000,sid="cmcd-1"');
  const plain = await fetch(`${system.edge.streamUrl}/index.m3u8`);
  const told = await fetch(`${system.edge.streamUrl}/index.m3u8?CMCD=${cmcd}`);
  expect(await told.text()).toBe(await plain.text());
  const missing = await fetch(`${system.edge.streamUrl}/${RENDITION}/7-99.m4s`);
  expect(missing.status).toBe(404);
  const rows = await system.until<Row>(
    '/v1/qos/delivery?stream=show',
    (all) => (all[0]?.['requests'] ?? 0) >= 4 && all[0]?.['status_4xx'] === 1,
  );
  expect(rows[0]?.['from_hub']).toBeGreaterThanOrEqual(3);
  const [quality] = await system.until<Row>(
    '/v1/qos/rebuffering?stream=show',
    (all) => all[0]?.['stalls'] === 1,
  );
  expect(quality).toMatchObject({ stalls: 1 });
});
