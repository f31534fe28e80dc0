/** Alerts with every real part: rows in the engine, the schedule, and a webhook that fails at first. */

import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonRow, positional } from '#shared/qos/schema.ts';
import { startChdbEdge, type ChdbEdge } from './chdb-edge.ts';

const KEY = 'a key for signing messages to the webhook';
const EVERY_MS = 500;
/** How far the rule looks back: what stalls leaves its sight soon. */
const WINDOW_SECONDS = 10;
const LIMIT = { timeout: 40_000, interval: 100 };

interface Taken {
  readonly signature: string;
  readonly delivery: string;
  readonly body: string;
}

const tries: Taken[] = [];
const taken: Taken[] = [];
const webhook = createServer((request, response) => {
  void read(request).then((body) => {
    const message = {
      signature: String(request.headers['x-rill-signature']),
      delivery: String(request.headers['x-rill-delivery']),
      body,
    };
    tries.push(message);
    // The first try fails, as when a receiver restarts.
    const status = tries.length === 1 ? 500 : 204;
    if (status === 204) {
      taken.push(message);
    }
    response.writeHead(status).end();
  });
});
let system: ChdbEdge;

/** Ten seconds of a viewer in a network, as a row taken in at `at`. */
function heartbeat(at: number, asn: string, stalled: number): object {
  const about = {
    stream: 'show',
    session: `of-${asn}`,
    country: 'DE',
    asn,
    source: 'beacon',
    at_ms: at * 1000,
  };
  const point = positional({
    ...about,
    event: 'heartbeat',
    watched_ms: 10_000 - stalled,
    stalled_ms: stalled,
  });
  return JSON.parse(jsonRow(point, at));
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks).toString('utf8');
}

beforeAll(async () => {
  webhook.listen(0, '127.0.0.1');
  await once(webhook, 'listening');
  const address = webhook.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const rules = [
    {
      ...{ name: 'rebuffering', metric: 'rebuffering_ratio', above: 0.02, clear: 0.01, for: '1s' },
      ...{ window: `${WINDOW_SECONDS}s`, by: ['asn'] },
    },
    { name: 'nobody', metric: 'concurrent', above: 1_000_000 },
  ];
  system = await startChdbEdge({
    alertsEveryMs: EVERY_MS,
    variables: {
      RILL_ALERTS: JSON.stringify({ webhook: `http://127.0.0.1:${port}/hook`, rules }),
      RILL_ALERTS_KEY: KEY,
    },
  });
});
afterAll(async () => {
  await system.stop();
  webhook.close();
});

test('a network that stalls is told once, signed, after a try that failed, and told again when it is over', async () => {
  const now = Math.floor(Date.now() / 1000);
  await system.insert([heartbeat(now, '3209', 1_000), heartbeat(now, '3320', 0)]);
  await expect
    .poll(() => taken.map(({ body }) => JSON.parse(body).kind), LIMIT)
    .toEqual(['firing', 'resolved']);
  const [firing, resolved] = taken.map(({ body }) => JSON.parse(body));
  expect(firing).toMatchObject({
    ...{ rule: 'rebuffering', metric: 'rebuffering_ratio', where: { asn: '3209' }, stream: null },
    ...{ direction: 'above', threshold: 0.02, clear: 0.01, window: WINDOW_SECONDS },
  });
  expect(firing.value).toBeGreaterThan(0.02);
  expect(resolved).toMatchObject({ where: { asn: '3209' }, since: firing.since });
  expect(tries[0]?.delivery).toBe(tries[1]?.delivery);
  expect(new Set(taken.map(({ delivery }) => delivery)).size).toBe(2);
  for (const { signature, body } of tries) {
    const [, time = '', hex] = /^t=([0-9]+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
    expect(Math.abs(Number(time) - Date.now() / 1000)).toBeLessThan(60);
    expect(hex).toBe(createHmac('sha256', KEY).update(`${time}.${body}`).digest('hex'));
  }
});

test('how alerts stand may be asked, by who may ask about every stream', async () => {
  const answer = await system.ask('/v1/qos/alerts');
  const { trouble, rules, alerts, waiting } = await answer.json();
  expect({ trouble, alerts, waiting }).toEqual({ trouble: null, alerts: [], waiting: 0 });
  expect(rules).toHaveLength(2);
  const token = await system.edge.sign({ scope: 'analytics', stream: 'show' });
  const headers = { authorization: `Bearer ${token}` };
  expect((await fetch(`${system.edge.url}/v1/qos/alerts`, { headers })).status).toBe(403);
});
