/** Every report on the embedded engine against figures worked out by hand, and the analyst's SQL. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonRow, positional, type QosPoint } from '#shared/qos/schema.ts';
import { startChdbEdge, type ChdbEdge } from './chdb-edge.ts';

/** A full minute, an hour ago. */
const START = Math.floor(Date.now() / 60_000) * 60 - 3_600;
const WINDOW = `stream=show&from=${START}&to=${START + 120}`;

interface Row {
  readonly [name: string]: string | number;
}

let system: ChdbEdge;

/**
 * Two viewers. Ann in DE (asn 1): starts after 400 ms, watches 90 s in two minutes, stalls twice for 10 s together.
 * Ben in FR (asn 2): starts after 800 ms, watches 50 s, no stall. Cid in FR leaves before the first frame, Dora in
 * DE gets an error instead of one. The rows of Ben stand for two each.
 */
function scene(): readonly (readonly [number, number, QosPoint])[] {
  const ann = { stream: 'show', session: 'ann', viewer: 'v1', country: 'DE', asn: '1', source: 'beacon' };
  const ben = { stream: 'show', session: 'ben', viewer: 'v2', country: 'FR', asn: '2', source: 'beacon' };
  const cid = { stream: 'show', session: 'cid', viewer: 'v3', country: 'FR', asn: '2', source: 'beacon' };
  const dora = { stream: 'show', session: 'dora', viewer: 'v4', country: 'DE', asn: '1', source: 'beacon' };
  const high = { rendition: '720p', height: 720, bitrate: 3_000_000 };
  const low = { rendition: '360p', height: 360, bitrate: 1_000_000 };
  return [
    [0, 1, { ...ann, event: 'session_start', seq: 0, at_ms: START * 1000 }],
    [1, 1, { ...ann, ...high, event: 'startup', startup_ms: 400, seq: 1, at_ms: START * 1000 + 400 }],
    [
      30,
      1,
      {
        ...ann,
        ...high,
        event: 'heartbeat',
        watched_ms: 30_000,
        latency_ms: 2_000,
        seq: 2,
        at_ms: START * 1000 + 30_000,
      },
    ],
    [31, 1, { ...ann, ...high, event: 'stall_begin', seq: 3, at_ms: START * 1000 + 31_000 }],
    [37, 1, { ...ann, ...high, event: 'stall_end', stalled_ms: 6_000, seq: 4, at_ms: START * 1000 + 37_000 }],
    [
      70,
      1,
      {
        ...ann,
        ...low,
        event: 'rendition_switch',
        watched_ms: 20_000,
        latency_ms: 4_000,
        seq: 5,
        at_ms: START * 1000 + 70_000,
      },
    ],
    [71, 1, { ...ann, ...low, event: 'stall_begin', seq: 6, at_ms: START * 1000 + 71_000 }],
    [75, 1, { ...ann, ...low, event: 'stall_end', stalled_ms: 4_000, seq: 7, at_ms: START * 1000 + 75_000 }],
    [119, 1, { ...ann, ...low, event: 'end', watched_ms: 40_000, seq: 8, at_ms: START * 1000 + 119_000 }],
    [0, 2, { ...ben, event: 'session_start', seq: 0 }],
    [1, 2, { ...ben, ...low, event: 'startup', startup_ms: 800, seq: 1 }],
    [51, 2, { ...ben, ...low, event: 'heartbeat', watched_ms: 50_000, latency_ms: 3_000, seq: 2 }],
    [2, 1, { ...cid, event: 'session_start', seq: 0 }],
    [8, 1, { ...cid, event: 'end', exit_before_start: 1, seq: 1 }],
    [3, 1, { ...dora, event: 'session_start', seq: 0 }],
    [4, 1, { ...dora, event: 'error', exit_before_start: 1, error_code: 'MEDIA', seq: 1 }],
    [5, 1, delivery({ status: 200, bytes: 1_000, ttfb_ms: 10, cache_hit: 1, served_by: 'hub', weight: 10 })],
    [
      6,
      1,
      delivery({ status: 200, bytes: 3_000, ttfb_ms: 30, cache_hit: 0, served_by: 'storage', weight: 10 }),
    ],
    [7, 1, delivery({ status: 404, bytes: 50, ttfb_ms: 20, cache_hit: 0, served_by: 'none', weight: 10 })],
    [8, 1, delivery({ status: 304, bytes: 0, ttfb_ms: 5, cache_hit: 1, served_by: 'hub', weight: 10 })],
    [10, 1, { ...ann, stream: 'other', event: 'session_start', session: 'x', viewer: 'v5' }],
    [-10, 1, { ...ann, event: 'session_start', session: 'before', viewer: 'v5' }],
    [120, 1, { ...ann, event: 'session_start', session: 'after', viewer: 'v5' }],
  ];
}

function delivery(facts: Partial<QosPoint>): QosPoint {
  return { ...facts, stream: 'show', event: 'delivery', source: 'edge', resource: 'part' };
}

beforeAll(async () => {
  system = await startChdbEdge();
  await system.insert(
    scene().map(([second, sampled, point]) => ({
      ...JSON.parse(jsonRow(positional(point), START + second)),
      _sample_interval: sampled,
    })),
  );
});
afterAll(async () => {
  await system.stop();
});

async function rows(path: string): Promise<readonly Row[]> {
  const answer = await system.ask(`/v1/qos/${path}`);
  expect(answer.status, path).toBe(200);
  return (await answer.json()).rows;
}

test('concurrents: time wanted in a minute over the minute, and the sessions that were heard', async () => {
  // Minute 1: Ann 30 s + 6 s, Ben 2 × 50 s. Minute 2: Ann 20 + 40 + 4 s.
  expect(await rows(`concurrents?${WINDOW}`)).toEqual([
    { time: START, concurrent: (36 + 100) / 60, sessions: 4 },
    { time: START + 60, concurrent: 64 / 60, sessions: 1 },
  ]);
});

test('sessions: plays asked for, ended, and watched', async () => {
  const [row] = await rows(`sessions?${WINDOW}`);
  expect(row).toMatchObject({ sessions: 4, viewers: 4, attempts: 5, ended: 2 });
  expect(row?.['watched_hours']).toBeCloseTo(190 / 3_600, 9);
  expect(row?.['watched_minutes_per_session']).toBeCloseTo(190 / 60 / 4, 9);
});

test('startup: quantiles weighted with the sampling', async () => {
  // 400 once, 800 twice.
  expect(await rows(`startup?${WINDOW}`)).toEqual([{ starts: 3, p50_ms: 800, p95_ms: 800, p99_ms: 800 }]);
  expect(await rows(`startup?${WINDOW}&by=country`)).toEqual([
    { country: 'DE', starts: 1, p50_ms: 400, p95_ms: 400, p99_ms: 400 },
    { country: 'FR', starts: 2, p50_ms: 800, p95_ms: 800, p99_ms: 800 },
  ]);
});

test('rebuffering: stalled time over time wanted, and stalls a minute', async () => {
  const [de, fr] = await rows(`rebuffering?${WINDOW}&by=country`);
  expect(de).toMatchObject({
    country: 'DE',
    watched_ms: 90_000,
    stalled_ms: 10_000,
    rebuffering_ratio: 0.1,
    stalls: 2,
  });
  expect(de?.['stalls_per_minute']).toBeCloseTo(2 / (100 / 60), 9);
  expect(fr).toMatchObject({ country: 'FR', watched_ms: 100_000, rebuffering_ratio: 0, stalls: 0 });
});

test('failures: start failures and exits before start over the plays asked for', async () => {
  const [row] = await rows(`failures?${WINDOW}`);
  expect(row).toMatchObject({
    attempts: 5,
    starts: 3,
    start_failures: 1,
    start_failure_ratio: 0.2,
    exits_before_start: 1,
    exit_before_start_ratio: 0.2,
    errors: 1,
  });
  expect(row?.['errors_per_hour']).toBeCloseTo(3_600 / 200, 9);
});

test('bitrate: mean over the time watched, and switches', async () => {
  const [row] = await rows(`bitrate?${WINDOW}`);
  // 30 s at 3 Mbit/s; 60 s of Ann and 2 × 50 s of Ben at 1 Mbit/s.
  expect(row?.['mean_bitrate']).toBeCloseTo((30 * 3e6 + 160 * 1e6) / 190, 3);
  expect(row?.['mean_height']).toBeCloseTo((30 * 720 + 160 * 360) / 190, 6);
  expect(row).toMatchObject({ watched_ms: 190_000, switches: 1 });
});

test('latency: of the samples that have one', async () => {
  const [row] = await rows(`latency?${WINDOW}`);
  expect(row).toEqual({ samples: 4, mean_ms: 3_000, p50_ms: 3_000, p95_ms: 4_000, p99_ms: 4_000 });
});

test('delivery: requests, bytes, cache hits, sources and times to first byte', async () => {
  expect(await rows(`delivery?${WINDOW}`)).toEqual([
    {
      requests: 40,
      bytes: 40_500,
      cache_hit_ratio: 0.5,
      from_hub: 20,
      from_storage: 10,
      status_2xx: 20,
      status_3xx: 10,
      status_4xx: 10,
      status_5xx: 0,
      ttfb_p50_ms: 10,
      ttfb_p95_ms: 30,
      ttfb_p99_ms: 30,
    },
  ]);
});

test('top: by sessions, most first', async () => {
  const all = await rows(`top?${WINDOW}&by=asn`);
  expect(all.map(({ asn, sessions, errors }) => [asn, sessions, errors])).toEqual([
    ['1', 2, 1],
    ['2', 2, 0],
  ]);
});

test('session: what one viewer went through, in its order', async () => {
  const events = await rows(`session/ann?${WINDOW}`);
  expect(events.map(({ event }) => event)).toEqual([
    'session_start',
    'startup',
    'heartbeat',
    'stall_begin',
    'stall_end',
    'rendition_switch',
    'stall_begin',
    'stall_end',
    'end',
  ]);
  expect(events[4]).toMatchObject({ stalled_ms: 6_000, rendition: '720p', at_ms: START * 1000 + 37_000 });
});

test('a report as CSV has a line of names and, for a spreadsheet, no formula', async () => {
  await system.insert([
    { timestamp: START, index1: 'formula', blob1: 'session_start', blob13: '=cmd()', double20: 1 },
  ]);
  const answer = await system.ask(
    `/v1/qos/top?stream=formula&from=${START}&to=${START + 1}&by=player&format=csv`,
  );
  expect(answer.headers.get('content-type')).toMatch(/^text\/csv/);
  expect(await answer.text()).toBe(
    "player,sessions,watched_hours,rebuffering_ratio,stalls,errors\r\n'=cmd(),1,0,0,0,0\r\n",
  );
});

test('a time with no rows has figures of nothing', async () => {
  expect(await rows(`rebuffering?stream=nobody&from=${START}&to=${START + 1}`)).toMatchObject([
    { stalls: 0 },
  ]);
  expect(await rows(`rebuffering?stream=nobody&from=${START}&to=${START + 1}&by=asn`)).toEqual([]);
});

test('an analyst asks in SQL, by readable names too, and meets limits', async () => {
  const sql = async (text: string): Promise<Response> =>
    system.ask('/v1/qos/sql', { method: 'POST', body: text });
  const answer = await sql(
    "SELECT country, count() AS n FROM rill_qos WHERE stream = 'show' AND event = 'startup' GROUP BY country ORDER BY country",
  );
  expect(await answer.json()).toEqual({
    columns: ['country', 'n'],
    rows: [
      { country: 'DE', n: 1 },
      { country: 'FR', n: 1 },
    ],
  });
  const many = await sql('SELECT arrayJoin(groupArray(1)) AS x FROM rill_qos');
  expect(many.status).toBe(200);
  const unknown = await sql('SELECT nothing FROM rill_qos');
  expect(unknown.status).toBe(400);
  expect(await unknown.json()).toMatchObject({ error: 'statement-failed' });
  // Nothing of the failed statement is left in the next answer.
  expect(await (await sql('SELECT 1 AS one')).json()).toEqual({ columns: ['one'], rows: [{ one: 1 }] });
  const drop = await sql('SELECT 1; DROP TABLE rill_qos');
  expect(await drop.json()).toMatchObject({ error: 'sql-refused', detail: 'one statement at a time' });
  const rowLimit = await sql(
    `SELECT ${Array.from({ length: 5 }, (_, n) => `a${n}.blob1`).join(', ')} FROM ${Array.from({ length: 5 }, (_, n) => `rill_qos AS a${n}`).join(' CROSS JOIN ')}`,
  );
  expect(rowLimit.status).toBe(400);
});

test('the engine itself refuses to write for a reader', async () => {
  const answer = await fetch(`${system.engine().url}/?readonly=1`, {
    method: 'POST',
    headers: { 'x-clickhouse-key': 'engine-password-for-tests' },
    body: 'DROP TABLE rill_qos',
  });
  expect(answer.ok).toBe(false);
  expect((await fetch(system.engine().url, { method: 'POST', body: 'SELECT 1' })).status).toBe(403);
});

test('reports and SQL ask for the scope, and a token for one stream stays with it', async () => {
  const get = async (claims: Record<string, unknown>, path: string): Promise<number> => {
    const token = await system.edge.sign(claims);
    const answer = await fetch(`${system.edge.url}/v1/qos/${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await answer.body?.cancel();
    return answer.status;
  };
  expect((await fetch(`${system.edge.url}/v1/qos/startup`)).status).toBe(401);
  expect(await get({ stream: 'show' }, 'startup?stream=show')).toBe(403);
  expect(await get({ scope: 'play' }, 'startup')).toBe(403);
  expect(await get({ scope: 'play analytics' }, 'startup')).toBe(200);
  expect(await get({ scope: 'analytics', stream: 'show' }, 'startup?stream=show')).toBe(200);
  expect(await get({ scope: 'analytics', stream: 'show' }, 'startup?stream=other')).toBe(403);
  expect(await get({ scope: 'analytics', stream: 'show' }, 'startup')).toBe(403);
  expect(await get({ scope: ['analytics'] }, 'passwords')).toBe(404);
  expect(await get({ scope: ['analytics'] }, 'startup?from=2&to=1')).toBe(400);
});
