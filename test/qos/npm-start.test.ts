/** `npm start` records playback and `rill qos` tells of it, with nothing set up. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRill, type RillInstance } from '../support/rill-instance.ts';

let rill: RillInstance;

beforeAll(async () => {
  // As `npm start` does: the Worker is built at the start.
  delete process.env['RILL_BUILT_WORKER'];
  rill = await startRill();
});
afterAll(async () => {
  await rill.stop();
});

test('a beacon to an instance is in the report that its command line prints', async () => {
  const token = await rill.rill('token', '--stream', 'cam1', '--viewer', 'ann');
  const at = Date.now();
  const answer = await fetch(`${rill.edgeUrl}/t/${token}/beacon`, {
    method: 'POST',
    body: JSON.stringify({
      ...{ v: 1, session: 's-1', stream: 'cam1', player: 'rill', playerVersion: '1', sentAt: at },
      events: [{ event: 'startup', at, seq: 0, startupMs: 321 }],
    }),
  });
  expect(answer.status).toBe(204);
  const asked = ['qos', 'startup', '--stream', 'cam1', '--csv'];
  await expect
    .poll(() => rill.rill(...asked).catch((error: unknown) => String(error)), {
      timeout: 60_000,
      interval: 500,
    })
    .toBe('starts,p50_ms,p95_ms,p99_ms\r\n1,321,321,321');
  await expect(rill.rill('qos', 'passwords')).rejects.toThrow('unknown-report');
  expect(rill.output()).toMatch(/QoS engine ready after/);
  const address = /http:\S+\/dashboard#token=\S+/.exec(rill.output())?.[0] ?? '';
  expect(address).toMatch(new RegExp(`^${rill.edgeUrl}/dashboard#token=`));
  expect(await rill.rill('dashboard')).toMatch(new RegExp(`^${rill.edgeUrl}/dashboard#token=`));
  expect(await (await fetch(address)).text()).toContain('Quality of experience');
  const analyst = new URLSearchParams(new URL(address).hash.slice(1)).get('token') ?? '';
  const headers = { authorization: `Bearer ${analyst}` };
  expect((await fetch(`${rill.edgeUrl}/v1/qos/now`, { headers })).status).toBe(200);
});
