/** The present, in one Durable Object: isolates tell it what sessions said, and it answers without any engine. */

import { DurableObject } from 'cloudflare:workers';
import { z } from 'zod';
import type { Env } from '../../env.ts';
import { LiveSessions, type StreamNow } from './live-sessions.ts';
import { LIVE_PATH, NOW_EVENTS_PATH, NOW_PATH } from './now-address.ts';

/** Time between two server-sent events, milliseconds. */
const EVENT_EVERY_MS = 1_000;
/** Longest that one event stream lasts, events: its reader comes back by itself. */
const MAX_EVENTS = 600;
/** Event streams at once. */
const MAX_READERS = 100;

const text = z.string().max(64);
const number = z.number().min(0);
const heardSchema = z.object({
  ...{ stream: text, session: text, event: text },
  ...{ watchedMs: number, stalledMs: number, latencyMs: number, bitrate: number },
});

/** What all sessions are doing. Nothing is stored: after an eviction the next heartbeats tell it again. */
export class QosNow extends DurableObject<Env> {
  readonly #sessions = new LiveSessions();
  #readers = 0;

  /** Takes lines of what was heard, answers the present, or goes on telling it. */
  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const stream = url.searchParams.get('stream');
    if (request.method === 'POST') {
      if (url.pathname === LIVE_PATH) {
        this.#sessions.published(text.parse(stream), Date.now());
      } else {
        this.#hear(await request.text());
      }
      return new Response(null, { status: 204 });
    }
    if (url.pathname === NOW_PATH) {
      return Response.json(this.#now(stream));
    }
    return url.pathname === NOW_EVENTS_PATH && this.#readers < MAX_READERS
      ? this.#events(stream)
      : new Response(null, { status: 503 });
  }

  #hear(lines: string): void {
    const now = Date.now();
    for (const line of lines.split('\n')) {
      this.#sessions.hear(heardSchema.parse(JSON.parse(line)), now);
    }
  }

  #now(stream: string | null): readonly StreamNow[] {
    const all = this.#sessions.snapshot(Date.now());
    return stream === null ? all : all.filter((one) => one.stream === stream);
  }

  #events(stream: string | null): Response {
    const encoder = new TextEncoder();
    let sent = 0;
    let isOpen = true;
    const leave = (): void => {
      if (isOpen) {
        isOpen = false;
        this.#readers -= 1;
      }
    };
    this.#readers += 1;
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        if (sent > 0) {
          await new Promise((resolve) => {
            setTimeout(resolve, EVENT_EVERY_MS);
          });
        }
        sent += 1;
        controller.enqueue(encoder.encode(`data: ${JSON.stringify(this.#now(stream))}\n\n`));
        if (sent >= MAX_EVENTS) {
          leave();
          controller.close();
        }
      },
      cancel: leave,
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  }
}
