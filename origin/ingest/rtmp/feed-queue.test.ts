import { expect, test } from 'vitest';
import type { FeedEvent } from '../media-feed.ts';
import { FeedQueue } from './feed-queue.ts';

function media(size: number): FeedEvent {
  return { kind: 'media', bytes: new Uint8Array(size), randomAccess: false };
}

function makeQueue(): { readonly queue: FeedQueue; readonly calls: string[] } {
  const calls: string[] = [];
  const queue = new FeedQueue({
    highBytes: 100,
    lowBytes: 40,
    onFull: () => calls.push('full'),
    onDrained: () => calls.push('drained'),
    onAbandoned: () => calls.push('abandoned'),
  });
  return { queue, calls };
}

async function kinds(queue: FeedQueue): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of queue.events) {
    seen.push(event.kind);
  }
  return seen;
}

test('is full above the high mark and drained at the low one, once each', async () => {
  const { queue, calls } = makeQueue();
  [60, 40].forEach((size) => queue.push(media(size)));
  expect(calls).toEqual([]);
  [1, 30].forEach((size) => queue.push(media(size)));
  expect(calls).toEqual(['full']);
  queue.end({ reason: 'unpublished' });
  expect(await kinds(queue)).toEqual(['media', 'media', 'media', 'media', 'end']);
  expect(calls).toEqual(['full', 'drained']);
});

test('what waits comes before the end, except when our own side closes', async () => {
  const { queue } = makeQueue();
  queue.push(media(10));
  queue.end({ reason: 'closed', detail: 'test' });
  queue.push(media(10));
  expect(await kinds(queue)).toEqual(['end']);
});

test('an event wakes a consumer that waits', async () => {
  const { queue } = makeQueue();
  const seen = kinds(queue);
  queue.push(media(1));
  await Promise.resolve();
  queue.end({ reason: 'unpublished' });
  expect(await seen).toEqual(['media', 'end']);
});

test('a consumer that leaves early is noticed', async () => {
  const { queue, calls } = makeQueue();
  queue.push(media(1));
  for await (const event of queue.events) {
    expect(event.kind).toBe('media');
    break;
  }
  expect(calls).toEqual(['abandoned']);
});
