/**
 * Delivery's cache where no platform provides one: the self-hosted edge. Misses meet in one Durable Object per
 * stream, since a promise made by one request of a Worker is cancelled with it; what has been answered lies in
 * memory that every request of the process reads without a hop.
 */

import { DurableObject } from 'cloudflare:workers';
import type { Env } from '../../env.ts';
import { deliver } from '../deliver.ts';
import { AnswerCache, cacheKey, COLLAPSED, HIT } from './answer-cache.ts';
import { AnswerStore } from './answer-store.ts';
import { Flights } from './flights.ts';
import { freshSeconds } from './freshness.ts';
import type { Kept } from './kept.ts';

const BYTES_PER_MIB = 1_048_576;
/** Answers kept at most: with a byte budget of a gigabyte the bound on bytes is met first. */
const MAX_ENTRIES = 100_000;
/** Largest share of the budget that one answer may take. */
const MAX_ANSWER_SHARE = 1 / 8;
/** Players of a live stream are less than a minute apart; others' media is read from object storage once more. */
const MAX_IDLE_SECONDS = 60;

/** The process's one store; the budget does not change while it runs. */
let processStore: AnswerStore | undefined;
/** What the cache objects of this process are fetching. */
const processFlights = new Flights();

/** Answers canonical requests from memory, collapsing those that miss. */
export class DeliveryCache extends DurableObject<Env> {
  readonly #cache: AnswerCache;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#cache = new AnswerCache({
      store: storeOf(env),
      lifetime: (_key, { status, headers }) => freshSeconds(status, headers),
      flights: processFlights,
      now: Date.now,
    });
  }

  /** Answers a canonical request. */
  override async fetch(request: Request): Promise<Response> {
    return this.#cache.answer(request, (missed) => deliver(missed, this.env));
  }
}

/** Answers a canonical request of a stream through the cache's object. */
export async function deliverCached(request: Request, objects: NonNullable<Env['CACHE']>): Promise<Response> {
  return objects.getByName(cacheKey(request).split('/', 3)[2] ?? '').fetch(request);
}

/**
 * Finds a fresh answer under a canonical path and query in this process's memory, where this edge has a cache, or
 * waits for one that is being fetched; a promise only where there is something to wait for.
 */
export function findKept(canonicalPath: string, env: Env): Kept | Promise<Kept | undefined> | undefined {
  if (!hasOwnCache(env)) {
    return undefined;
  }
  const fresh = storeOf(env).find(canonicalPath, Date.now());
  if (fresh !== undefined) {
    return { answer: fresh.answer, age: fresh.age, how: HIT };
  }
  return processFlights.has(canonicalPath) ? joinFlight(canonicalPath) : undefined;
}

async function joinFlight(canonicalPath: string): Promise<Kept | undefined> {
  const answer = await processFlights.join(canonicalPath);
  return answer === undefined ? undefined : { answer, age: undefined, how: COLLAPSED };
}

/** Whether this edge brings its own cache: `RILL_CACHE_MIB` is set, which only the self-hosted edge does. */
export function hasOwnCache(env: Env): boolean {
  return budgetMib(env) > 0;
}

function storeOf(env: Env): AnswerStore {
  processStore ??= createStore(budgetMib(env) * BYTES_PER_MIB);
  return processStore;
}

function createStore(maxBytes: number): AnswerStore {
  return new AnswerStore({
    maxEntries: MAX_ENTRIES,
    maxBytes,
    maxAnswerBytes: maxBytes * MAX_ANSWER_SHARE,
    maxIdleSeconds: MAX_IDLE_SECONDS,
  });
}

function budgetMib(env: Env): number {
  return Math.max(0, Number(env.RILL_CACHE_MIB ?? 0)) || 0;
}
