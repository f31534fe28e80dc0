/** Events as server-sent events (HTML Living Standard §9.2), with a bounded queue for each listener. */

import type { StreamName } from '#shared/identifiers.ts';
import type { EventLog, OriginEvent } from '../event-log.ts';

/** Listeners at once. */
const MAX_LISTENERS = 32;
/** Bytes that wait for one listener; one that reads slower is cut off and comes back with Last-Event-ID. */
const MAX_WAITING_BYTES = 256 * 1024;
/** A comment so often keeps proxies from closing a quiet connection, milliseconds. */
const HEARTBEAT_MS = 15_000;

const listeners = new WeakMap<EventLog, number>();

/** The body of an answer that never ends; `undefined` when too many listen. */
export function streamEvents(
  log: EventLog,
  wanted: { readonly stream: StreamName | undefined; readonly after: string | undefined },
): ReadableStream<Uint8Array> | undefined {
  const count = listeners.get(log) ?? 0;
  if (count >= MAX_LISTENERS) {
    return undefined;
  }
  listeners.set(log, count + 1);
  let stop = (): void => undefined;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        stop = follow(log, wanted, controller);
      },
      cancel: () => stop(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: MAX_WAITING_BYTES }),
  );
}

function follow(
  log: EventLog,
  { stream, after }: { readonly stream: StreamName | undefined; readonly after: string | undefined },
  controller: ReadableStreamDefaultController<Uint8Array>,
): () => void {
  const encoder = new TextEncoder();
  let open = true;
  const stop = (): void => {
    if (open) {
      open = false;
      clearInterval(heartbeat);
      unsubscribe();
      listeners.set(log, (listeners.get(log) ?? 1) - 1);
    }
  };
  const write = (text: string): void => {
    if (!open) {
      return;
    }
    if ((controller.desiredSize ?? 0) <= 0) {
      stop();
      controller.close();
      return;
    }
    controller.enqueue(encoder.encode(text));
  };
  const tell = (event: OriginEvent): void => {
    if (stream === undefined || event.stream === stream) {
      write(renderEvent(event));
    }
  };
  const heartbeat = setInterval(() => write(':\n\n'), HEARTBEAT_MS);
  heartbeat.unref();
  const unsubscribe = log.subscribe(tell);
  const missed = after === undefined ? [] : log.since(after);
  // The first bytes bring the headers on their way.
  write(missed === undefined ? 'event: missed\ndata: {}\n\n' : ':\n\n');
  for (const event of missed ?? []) {
    tell(event);
  }
  return stop;
}

function renderEvent({ id, type, timestamp, stream, data }: OriginEvent): string {
  const body = JSON.stringify({ type, timestamp, data: stream === undefined ? data : { stream, ...data } });
  return `id: ${id}\nevent: ${type}\ndata: ${body}\n\n`;
}
