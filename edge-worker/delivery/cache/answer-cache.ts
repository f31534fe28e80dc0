/**
 * A cache in front of whoever answers canonical requests, with the semantics that `docs/cache-contract.md` asks of
 * every cache: the key is path and query as given, answers live as long as their lifetime says, and of all
 * requests that miss the same key at once one is sent on. What that one gets all of them get, a failure included:
 * otherwise a failing hub would meet everyone who waited for it.
 *
 * Requests share promises here, so all of them must run in one context: that of a Durable Object, or of a test.
 */

import type { Answer, AnswerStore } from './answer-store.ts';
import type { Flights } from './flights.ts';
import { gzipCopy } from './gzip-copy.ts';

/** Most keys that are fetched at once; beyond it requests are sent on one by one, uncollapsed. */
const MAX_IN_FLIGHT = 4_096;
/** Name of this cache in `Cache-Status`, RFC 9211. */
const CACHE_NAME = 'rill';
/** In `Cache-Status`: it was kept. */
export const HIT = 'hit';
/** In `Cache-Status`: another request had asked for it already. */
export const COLLAPSED = 'fwd=uri-miss; collapsed';

/** Answers a request at its source. */
export type Ask = (request: Request) => Promise<Response>;

/** How the cache decides. */
export interface CacheRules {
  readonly store: AnswerStore;
  /** Seconds for which the answer to a key may be kept, 0 for not at all. */
  readonly lifetime: (key: string, response: Response) => number;
  /** Another key whose answer this key's is too, at the instant it is given. */
  readonly alias?: (key: string) => string | undefined;
  /** Where others of this process learn what is being fetched. */
  readonly flights?: Flights;
  /** Milliseconds. */
  readonly now: () => number;
}

/** The key of a canonical request: path and query, in the order in which they stand. */
export function cacheKey(request: Request): string {
  const afterScheme = request.url.indexOf('//') + 2;
  return request.url.slice(request.url.indexOf('/', afterScheme));
}

/** Answers from memory, or asks once for everyone who is waiting. */
export class AnswerCache {
  readonly #rules: CacheRules;
  /** What is being fetched; `undefined` when it turned out too large to be shared. */
  readonly #inFlight = new Map<string, Promise<Answer | undefined>>();

  constructor(rules: CacheRules) {
    this.#rules = rules;
  }

  /** Answers a GET; every other method is passed on. */
  async answer(request: Request, ask: Ask): Promise<Response> {
    if (request.method !== 'GET') {
      return ask(request);
    }
    const key = cacheKey(request);
    const kept = this.#rules.store.find(key, this.#rules.now());
    if (kept !== undefined) {
      return respond(kept.answer, HIT, { age: String(kept.age) });
    }
    const flying = this.#inFlight.get(key);
    if (flying !== undefined) {
      const shared = await flying;
      return shared === undefined ? ask(request) : respond(shared, COLLAPSED);
    }
    return this.#inFlight.size < MAX_IN_FLIGHT ? this.#fetch(key, request, ask) : ask(request);
  }

  async #fetch(key: string, request: Request, ask: Ask): Promise<Response> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer | undefined>();
    // Whoever waits sees the failure; when nobody does it is this request's alone.
    promise.catch(() => undefined);
    this.#inFlight.set(key, promise);
    this.#rules.flights?.announce(key, promise);
    try {
      const response = await ask(request);
      const { store, lifetime, alias, now } = this.#rules;
      if (Number(response.headers.get('content-length')) > store.bounds.maxAnswerBytes) {
        resolve(undefined);
        return response;
      }
      const seconds = lifetime(key, response);
      const answer = await readAnswer(response);
      const isKept = store.keep(key, answer, { now: now(), seconds });
      const other = alias?.(key);
      if (other !== undefined && answer.status === 200) {
        store.keep(other, answer, { now: now(), seconds: lifetime(other, response) });
      }
      resolve(answer);
      return respond(answer, isKept ? 'fwd=uri-miss; stored' : 'fwd=uri-miss');
    } catch (error) {
      reject(error);
      throw error;
    } finally {
      this.#inFlight.delete(key);
      this.#rules.flights?.land(key);
    }
  }
}

/** Delivery says each answer's length and the hub's are bounded by its memory, so none is read without end. */
async function readAnswer(response: Response): Promise<Answer> {
  const { status } = response;
  const headers = Object.fromEntries(response.headers);
  const body = new Blob([await response.arrayBuffer()]);
  return { status, headers, body, gzip: await gzipCopy({ status, headers, body }) };
}

function respond(
  { status, headers, body }: Answer,
  how: string,
  more: Readonly<Record<string, string>> = {},
): Response {
  return new Response(body, { status, headers: { ...headers, ...more, ...cacheStatus(how) } });
}

/** `Cache-Status`, RFC 9211: what this cache did. */
export function cacheStatus(how: string): Readonly<Record<string, string>> {
  return { 'cache-status': `${CACHE_NAME}; ${how}` };
}
