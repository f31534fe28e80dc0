import { expect, test, vi } from 'vitest';
import type { FeedEvent } from '../media-feed.ts';
import { FeedQueue } from './feed-queue.ts';

const END: FeedEvent = { kind: 'end', end: { reason: 'unpublished' } };

function media(bytes: number): FeedEvent {
  return { kind: 'media', bytes: new Uint8Array(bytes), randomAccess: false };
}

function makeQueue(limitBytes: number): {
  queue: FeedQueue;
  onRoom: ReturnType<typeof vi.fn>;
  onAbandon: ReturnType<typeof vi.fn>;
} {
  const onRoom = vi.fn();
  const onAbandon = vi.fn();
  return { queue: new FeedQueue({ limitBytes, onRoom, onAbandon }), onRoom, onAbandon };
}

test('asks for a pause at its limit and for more once half empty', async () => {
  const { queue, onRoom } = makeQueue(1000);
  expect(queue.push(media(400))).toBe(true);
  expect(queue.push(media(600))).toBe(false);
  expect(queue.push(media(1))).toBe(false);
  await queue.next();
  expect(onRoom).not.toHaveBeenCalled();
  await queue.next();
  expect(onRoom).toHaveBeenCalledOnce();
});

test('hands an event to a waiting consumer at once', async () => {
  const { queue } = makeQueue(1);
  const next = queue.next();
  expect(queue.push(media(100))).toBe(true);
  expect((await next).value?.kind).toBe('media');
});

test('ends after `end`, with what was queued before', async () => {
  const { queue } = makeQueue(1000);
  queue.push(media(1));
  queue.push(END);
  queue.push(media(2));
  const kinds: string[] = [];
  for await (const event of queue) {
    kinds.push(event.kind);
  }
  expect(kinds).toEqual(['media', 'end']);
});

test('tells when the consumer leaves before the end', async () => {
  const { queue, onAbandon } = makeQueue(1000);
  queue.push(media(1));
  for await (const event of queue) {
    expect(event.kind).toBe('media');
    break;
  }
  expect(onAbandon).toHaveBeenCalledOnce();
  expect(queue.push(media(1))).toBe(false);
});
