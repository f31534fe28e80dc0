/**
 * A rendition's relay in one region: what the region's data centres miss meets here, so that the hub sees each
 * reload, part and segment once a region. A relay keeps nothing that the hub does not have; an evicted one
 * begins anew with the next request.
 */

import { DurableObject } from 'cloudflare:workers';
import { AnswerCache, cacheKey } from '../delivery/cache/answer-cache.ts';
import { AnswerStore } from '../delivery/cache/answer-store.ts';
import { askHub } from '../delivery/hub-client.ts';
import type { Env } from '../env.ts';
import { parseStreamName } from '../../shared/identifiers.ts';
import { plainReload, relaySeconds } from './relay-lifetime.ts';

/** Half of a Durable Object's 128 MB: the rest is for answers under way. */
const BOUNDS = {
  maxEntries: 10_000,
  maxBytes: 64 * 1_048_576,
  maxAnswerBytes: 16 * 1_048_576,
  maxIdleSeconds: 60,
};

/** Asks the hub once for everyone in its region. */
export class StreamRelay extends DurableObject<Env> {
  readonly #cache = new AnswerCache({
    store: new AnswerStore(BOUNDS),
    lifetime: (key, { status }) => relaySeconds(key, status),
    alias: plainReload,
    now: Date.now,
  });

  /** Answers as the hub of the stream in the path would. */
  override async fetch(request: Request): Promise<Response> {
    return this.#cache.answer(request, (missed) => {
      const pathAndQuery = cacheKey(missed);
      const stream = parseStreamName(pathAndQuery.split('/', 3)[2] ?? '');
      return stream.ok
        ? askHub(this.env.HUB, { stream: stream.value, pathAndQuery, mayBeHeld: true })
        : Promise.resolve(new Response(null, { status: 404 }));
    });
  }
}
