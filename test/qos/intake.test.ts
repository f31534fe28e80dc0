/** From a player's beacon to a row in a report, through the running edge and the embedded engine. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAX_BEACON_EVENTS } from '#shared/qos/beacon.ts';
import { startChdbEdge, type ChdbEdge } from './chdb-edge.ts';

const CF = {
  country: 'DE',
  regionCode: 'BE',
  asn: 3320,
  colo: 'TXL',
  httpProtocol: 'HTTP/3',
  clientTcpRtt: 17,
};
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

let system: ChdbEdge;

beforeAll(async () => {
  system = await startChdbEdge({ cf: CF });
});
afterAll(async () => {
  await system.stop();
});

interface Row {
  readonly [name: string]: string | number;
}

function beacon(session: string, events: readonly object[], more: object = {}): object {
  const now = Date.now();
  return {
    v: 1,
    session,
    stream: 'show',
    player: 'rill',
    playerVersion: '1.0',
    sentAt: now,
    events: events.map((event, index) => ({ at: now, seq: index, ...event })),
    ...more,
  };
}

async function send(token: string, body: string, type = 'text/plain;charset=UTF-8'): Promise<Response> {
  return fetch(`${system.edge.url}/beacon?token=${token}`, {
    method: 'POST',
    body,
    headers: { 'content-type': type, 'user-agent': FIREFOX },
  });
}

test('a beacon becomes rows in a report within five seconds, with what the platform knows of the request', async () => {
  const token = await system.edge.sign({ stream: 'show', sub: 'alice' });
  const sentAt = performance.now();
  const body = beacon('fresh', [
    { event: 'session_start' },
    { event: 'startup', startupMs: 480, height: 720, bitrate: 2_800_000 },
    {
      event: 'heartbeat',
      watchedMs: 9_000,
      stalledMs: 1_000,
      latencyMs: 2_100,
      height: 720,
      bitrate: 2_800_000,
    },
  ]);
  expect((await send(token, JSON.stringify(body))).status).toBe(204);
  const rows = await system.until<Row>(
    '/v1/qos/startup?stream=show&by=country,asn',
    (all) => all.length === 1 && all[0]?.['starts'] === 1,
  );
  expect(performance.now() - sentAt).toBeLessThan(5_000);
  expect(rows).toEqual([{ country: 'DE', asn: '3320', starts: 1, p50_ms: 480, p95_ms: 480, p99_ms: 480 }]);
  const by = async (name: string): Promise<Row | undefined> =>
    (await system.until<Row>(`/v1/qos/rebuffering?stream=show&by=${name}`, (all) => all.length > 0)).at(-1);
  expect(await by('browser')).toMatchObject({
    browser: 'firefox',
    watched_ms: 9_000,
    rebuffering_ratio: 0.1,
  });
  expect(await by('os')).toMatchObject({ os: 'linux' });
  expect(await by('protocol')).toMatchObject({ protocol: 'HTTP/3' });
  expect(await by('colo')).toMatchObject({ colo: 'TXL' });
});

test('a replayed batch counts once', async () => {
  const token = await system.edge.sign({ stream: 'show', sub: 'bob' });
  const body = JSON.stringify(beacon('again', [{ event: 'error', errorCode: 'E42' }]));
  for (let time = 0; time < 5; time += 1) {
    expect((await send(token, body)).status).toBe(204);
  }
  const other = JSON.stringify(beacon('again', [{ event: 'end', seq: 7 }]));
  expect((await send(token, other)).status).toBe(204);
  const rows = await system.until<Row>('/v1/qos/sessions?stream=show', (all) => all[0]?.['ended'] === 1);
  expect(rows).toHaveLength(1);
  const failures = await system.until<Row>('/v1/qos/failures?stream=show', (all) => all.length === 1);
  expect(failures[0]).toMatchObject({ errors: 1 });
});

test("a viewer cannot write into another's session: the same id gives each a session of its own", async () => {
  const mallory = await system.edge.sign({ stream: 'show', sub: 'mallory' });
  expect((await send(mallory, JSON.stringify(beacon('fresh', [{ event: 'end' }])))).status).toBe(204);
  const answer = await system.until<Row>('/v1/qos/sessions?stream=show', (all) => all[0]?.['ended'] === 2);
  expect(answer[0]).toMatchObject({ sessions: 3, viewers: 3 });
  const other = await system.edge.sign({ stream: 'other' });
  const refused = await send(other, JSON.stringify(beacon('fresh', [{ event: 'end' }])));
  expect(refused.status).toBe(403);
});

test('a time in the future is set to now, and one of two days ago is left out', async () => {
  const token = await system.edge.sign({ stream: 'show', sub: 'carol' });
  const now = Date.now();
  const body = beacon('clock', [
    { event: 'seek', seq: 1, at: now + 3_600_000 },
    { event: 'heartbeat', seq: 2, at: now - 2 * 86_400_000 },
    { event: 'stall_begin', seq: 3, at: now - 30_000 },
  ]);
  expect((await send(token, JSON.stringify(body))).status).toBe(204);
  const sql = `SELECT blob2 AS id, blob1 AS event, double19 AS at FROM rill_qos WHERE blob1 IN ('seek', 'stall_begin') ORDER BY at`;
  let rows: readonly Row[] = [];
  for (let round = 0; rows.length < 2 && round < 100; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const answer = await system.ask('/v1/qos/sql', { method: 'POST', body: sql });
    rows = (await answer.json()).rows;
  }
  expect(rows.map((row) => row['event'])).toEqual(['stall_begin', 'seek']);
  expect(Number(rows[1]?.['at'])).toBeLessThanOrEqual(Date.now());
  const timeline = await system.until<Row>(
    `/v1/qos/session/${rows[0]?.['id']}?stream=show`,
    (all) => all.length === 2,
  );
  expect(timeline[0]).toMatchObject({
    event: 'stall_begin',
    seq: 3,
    country: 'DE',
    player: 'rill',
    source: 'beacon',
  });
});

test('CMCD version 2 in event mode becomes startup, stalls and watched time', async () => {
  const token = await system.edge.sign({ stream: 'show', sub: 'dave' });
  const start = Date.now() - 20_000;
  const lines = [
    `e=ps,sta=s,sid="c-1",sn=0,ts=${start},v=2,cid="show"`,
    `e=ps,sta=p,sid="c-1",sn=1,ts=${start + 700},v=2,br=(1500),ltc=2500`,
    `e=t,sta=p,sid="c-1",sn=2,ts=${start + 10_700},v=2,br=(1500),bl=(1800)`,
    `this is no CMCD ===`,
    `e=ps,sta=r,sid="c-1",sn=3,ts=${start + 12_700},v=2`,
    `e=ps,sta=p,sid="c-1",sn=4,ts=${start + 15_700},v=2,bl="wrong type"`,
    `e=ps,sta=e,sid="c-1",sn=5,ts=${start + 20_000},v=2`,
  ];
  const answer = await send(token, lines.join('\n'), 'application/cmcd');
  expect(answer.status).toBe(204);
  const sql = `SELECT blob1 AS event, double1 AS watched, double2 AS stalled, double3 AS startup, double4 AS bitrate
    FROM rill_qos WHERE blob17 = 'cmcd' ORDER BY double11`;
  let rows: readonly Row[] = [];
  for (let round = 0; rows.length < 6 && round < 100; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    rows = (await (await system.ask('/v1/qos/sql', { method: 'POST', body: sql })).json()).rows;
  }
  expect(rows.map(({ event, watched, stalled }) => [event, watched, stalled])).toEqual([
    ['session_start', 0, 0],
    ['startup', 0, 0],
    ['heartbeat', 10_000, 0],
    ['stall_begin', 2_000, 0],
    ['stall_end', 0, 3_000],
    ['end', 4_300, 0],
  ]);
  expect(rows[1]).toMatchObject({ startup: 700, bitrate: 1_500_000 });
});

test.each([
  ['no JSON', '{"v":1', 'application/json', 400],
  ['another version', JSON.stringify(beacon('s', [{ event: 'end' }], { v: 2 })), 'application/json', 400],
  ['an unknown event', JSON.stringify(beacon('s', [{ event: 'hack' }])), 'application/json', 400],
  [
    'a negative time',
    JSON.stringify(beacon('s', [{ event: 'end', watchedMs: -1 }])),
    'application/json',
    400,
  ],
  [
    'a text for a number',
    JSON.stringify(beacon('s', [{ event: 'end', bitrate: '1' }])),
    'application/json',
    400,
  ],
  [
    'too many events',
    JSON.stringify(
      beacon(
        's',
        Array.from({ length: MAX_BEACON_EVENTS + 1 }, () => ({ event: 'end' })),
      ),
    ),
    'application/json',
    400,
  ],
  [
    'a hostile stream',
    JSON.stringify(beacon('s', [{ event: 'end' }], { stream: "x' OR 1" })),
    'text/plain',
    400,
  ],
  ['a form', 'a=b', 'application/x-www-form-urlencoded', 400],
  ['CMCD without a session', 'e=t,ts=1', 'application/cmcd', 400],
])('a beacon with %s is refused', async (_, body, type, status) => {
  const token = await system.edge.sign({ stream: 'show' });
  const answer = await send(token, body, type);
  expect(answer.status).toBe(status);
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
});

test('a beacon of 10 MB is refused before it is read, and the next one is taken', async () => {
  const token = await system.edge.sign({ stream: 'show', sub: 'alice' });
  const status = await send(token, 'x'.repeat(10_000_000), 'text/plain').then(
    (answer) => answer.status,
    // The edge has answered and closed while the client was still sending.
    (error: unknown) => (error instanceof TypeError ? 413 : 0),
  );
  expect(status).toBe(413);
  const next = await send(token, JSON.stringify(beacon('big', [{ event: 'end' }])), 'text/plain');
  expect(next.status).toBe(204);
});

test('who watches now is told within ten seconds: as JSON, as server-sent events and to Prometheus', async () => {
  const token = await system.edge.sign({ stream: 'present', sub: 'erin' });
  const event = { event: 'heartbeat', watchedMs: 9_000, stalledMs: 1_000, latencyMs: 2_000 };
  const body = beacon('now-1', [event], { stream: 'present' });
  expect((await send(token, JSON.stringify(body))).status).toBe(204);
  const told = { stream: 'present', viewers: 1, rebufferingRatio: 0.1, latencyMs: 2_000 };
  await expect
    .poll(async () => (await system.ask('/v1/qos/now?stream=present')).json(), { timeout: 10_000 })
    .toMatchObject({ streams: [told] });
  const text = await (await system.ask('/v1/qos/now?format=prometheus')).text();
  expect(text).toContain('rill_viewers{stream="present"} 1');
  const events = await system.ask('/v1/qos/now?stream=present&format=sse');
  expect(events.headers.get('content-type')).toBe('text/event-stream');
  const reader = events.body?.getReader();
  const first = new TextDecoder().decode((await reader?.read())?.value);
  await reader?.cancel();
  expect(JSON.parse(first.replace('data: ', ''))).toMatchObject([told]);
  expect((await fetch(`${system.edge.url}/v1/qos/now?token=${token}`)).status).toBe(403);
});

test('a beacon without a token, or with one of another issuer, is not authenticated', async () => {
  const body = JSON.stringify(beacon('s', [{ event: 'end' }]));
  expect((await fetch(`${system.edge.url}/beacon`, { method: 'POST', body })).status).toBe(401);
  expect((await send('eyJhbGciOiJub25lIn0.e30.', body)).status).toBe(401);
});
