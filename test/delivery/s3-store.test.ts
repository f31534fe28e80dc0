import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEdgeAlone, type EdgeAlone } from '../support/edge-alone.ts';

/** Of an earlier run of the packager: the hub has it no more and names object storage. */
const OLD = '720p/1700000000-5.m4s';

let storing: EdgeAlone;
let reading: EdgeAlone;

beforeAll(async () => {
  storing = await startEdgeAlone({ cacheMib: 0 });
  reading = await startEdgeAlone({ cacheMib: 8, store: storing.store });
});
afterAll(async () => {
  await reading?.stop();
  await storing?.stop();
});

test('an edge reads media from any S3 store', async () => {
  await storing.putObject('live/show/1700000000/720p/5.m4s', 'stored elsewhere');
  const whole = await fetch(`${reading.streamUrl}/${OLD}`);
  expect([whole.status, await whole.text()]).toEqual([200, 'stored elsewhere']);
  const piece = await fetch(`${reading.streamUrl}/${OLD}`, { headers: { range: 'bytes=7-' } });
  expect([piece.status, await piece.text()]).toEqual([206, 'elsewhere']);
  expect(piece.headers.get('cache-status')).toBe('rill; hit');
});

test('what the store does not have is 404', async () => {
  expect((await fetch(`${reading.streamUrl}/720p/1700000000-6.m4s`)).status).toBe(404);
});
