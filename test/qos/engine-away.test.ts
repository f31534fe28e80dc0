/** What viewers and rows meet when the QoS engine goes away and comes back, and what requests become in it. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { RENDITION } from '../support/scripted-origin.ts';
import { startChdbEdge, type ChdbEdge } from './chdb-edge.ts';

const SESSIONS = 40;

interface Row {
  readonly [name: string]: number;
}

let system: ChdbEdge;

beforeAll(async () => {
  system = await startChdbEdge({ variables: { RILL_QOS_DELIVERY_SAMPLE: '1' } });
  await system.edge.origin.publishPart(new Uint8Array(1_000));
});
afterAll(async () => {
  await system.stop();
});

async function beacons(from: number): Promise<readonly number[]> {
  const token = await system.edge.sign({ stream: 'show', sub: 'viewer' });
  return Promise.all(
    Array.from({ length: SESSIONS }, async (_, index) => {
      const at = Date.now();
      const answer = await fetch(`${system.edge.url}/t/${token}/beacon`, {
        method: 'POST',
        body: JSON.stringify({
          ...{ v: 1, session: `s${from + index}`, stream: 'show', player: 'rill', playerVersion: '1' },
          sentAt: at,
          events: [{ event: 'session_start', at, seq: 0 }],
        }),
      });
      return answer.status;
    }),
  );
}

test('rows wait while the engine is away, their number is shown, and none is lost when it is back', async () => {
  expect(new Set(await beacons(0))).toEqual(new Set([204]));
  await system.until<Row>('/v1/qos/sessions?stream=show', (rows) => rows[0]?.['attempts'] === SESSIONS);
  await system.stopEngine();
  expect(new Set(await beacons(1_000))).toEqual(new Set([204]));
  expect((await fetch(`${system.edge.streamUrl}/index.m3u8`)).status).toBe(200);
  await expect
    .poll(async () => (await system.ask('/v1/qos/status')).json(), { timeout: 15_000 })
    .toMatchObject({ dropped: 0, trouble: expect.stringContaining('not reached') });
  const held = await (await system.ask('/v1/qos/status')).json();
  expect(held.buffered).toBeGreaterThanOrEqual(SESSIONS);
  expect((await system.ask('/v1/qos/sessions')).status).toBe(503);
  await system.startEngine();
  await system.until<Row>('/v1/qos/sessions?stream=show', (rows) => rows[0]?.['attempts'] === 2 * SESSIONS);
  await expect
    .poll(async () => (await system.ask('/v1/qos/status')).json(), { timeout: 15_000 })
    .toMatchObject({ dropped: 0, buffered: 0, trouble: null });
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
    (all) => (all[0]?.['requests'] ?? 0) >= 4,
  );
  expect(rows[0]?.['status_4xx']).toBe(1);
  expect(rows[0]?.['from_hub']).toBeGreaterThanOrEqual(3);
  const [quality] = await system.until<Row>(
    '/v1/qos/rebuffering?stream=show',
    (all) => all[0]?.['stalls'] === 1,
  );
  expect(quality).toMatchObject({ stalls: 1 });
});
