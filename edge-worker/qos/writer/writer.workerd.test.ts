import { evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { renderRowLine } from './row-line.ts';
import type { WriterStatus } from './writer-status.ts';
import type { QosWriter } from './writer.ts';
import { DROPPED_HEADER, POINTS_PATH, ROWS_PATH, STATUS_PATH, WRITER_ORIGIN } from './writer-address.ts';

declare global {
  namespace Cloudflare {
    interface Env {
      QOS_WRITER: DurableObjectNamespace<QosWriter>;
    }
  }
}

const POINT = JSON.stringify({ indexes: ['show'], blobs: [], doubles: [] });

function writer(name: string): DurableObjectStub<QosWriter> {
  return env.QOS_WRITER.get(env.QOS_WRITER.idFromName(name));
}

async function post(name: string, lines: readonly string[], path = ROWS_PATH, dropped = 0): Promise<void> {
  const headers = { [DROPPED_HEADER]: String(dropped) };
  const body = lines.join('\n');
  const answer = await writer(name).fetch(`${WRITER_ORIGIN}${path}`, { method: 'POST', body, headers });
  expect([answer.status, await answer.text()]).toEqual([204, '']);
}

async function status(name: string): Promise<WriterStatus> {
  return (await writer(name).fetch(`${WRITER_ORIGIN}${STATUS_PATH}`)).json();
}

function event(session: string, seq: number): string {
  return renderRowLine({ session, seq }, JSON.stringify({ index1: 'show', double11: seq }));
}

it('takes an event once, whichever call it comes in, also after the object has been evicted', async () => {
  await post('replays', [event('a', 0), event('a', 1), event('b', 0), event('a', 1)]);
  expect(await status('replays')).toMatchObject({ buffered: 3, replayed: 1 });
  await post('replays', [event('a', 0), event('a', 1), event('b', 1)]);
  expect(await status('replays')).toMatchObject({ buffered: 4, replayed: 3 });
  await evictDurableObject(writer('replays'));
  await post('replays', [event('b', 0), event('a', 1), event('a', 2), event('a', 0)]);
  expect(await status('replays')).toMatchObject({ buffered: 5, replayed: 6 });
});

it('takes events out of order, and rows of requests however alike they are', async () => {
  const request = renderRowLine(undefined, '{"blob1":"delivery"}');
  await post('orders', [event('a', 99), event('a', 3), event('a', 50), request, request]);
  await post('orders', [event('a', 4), event('a', 50), request]);
  expect(await status('orders')).toMatchObject({ buffered: 7, replayed: 1 });
});

it('takes a point for Analytics Engine once', async () => {
  const lines = [0, 1, 0].map((seq) => renderRowLine({ session: 'a', seq }, POINT));
  await post('points', lines, POINTS_PATH);
  await post('points', lines.slice(0, 1), POINTS_PATH);
  expect(await status('points')).toMatchObject({ buffered: 0, replayed: 2 });
});

it('counts what a caller says it has dropped, and what is beyond the bound of one call', async () => {
  await post('drops', [event('a', 0)], ROWS_PATH, 7);
  await post('drops', [event('a', 1), renderRowLine({ session: 'a', seq: 2 }, 'x'.repeat(2_000_000))]);
  expect(await status('drops')).toMatchObject({ buffered: 1, dropped: 9 });
  await post('drops', [event('a', 1)], ROWS_PATH, Number.NaN);
  expect(await status('drops')).toMatchObject({ buffered: 2, dropped: 9, replayed: 0 });
});
