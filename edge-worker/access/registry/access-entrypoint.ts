/**
 * The cached way to the registry: what every isolate reads, with the platform's cache in front where there is one,
 * so that the registry answers a location once in two seconds however many viewers there are.
 *
 * `/version` is small and asked often; `/snapshot/{version}` is large and asked after a change.
 */

import { WorkerEntrypoint } from 'cloudflare:workers';
import { errorAnswer } from '../../answer.ts';
import type { Env } from '../../env.ts';
import { describeError, logEvent } from '../../log.ts';
import { REGISTRY_NAME } from './access-registry.ts';

/**
 * A change is seen everywhere within: this time in the cache, rounded up to three seconds, and what an isolate goes
 * on without asking. Should the registry be away, an isolate that begins then finds what was last known.
 */
const VERSION_CACHE_CONTROL = 'public, max-age=2, stale-if-error=3600';
/** Another version has another URL. */
const SNAPSHOT_CACHE_CONTROL = 'public, max-age=60, stale-if-error=3600';
const SNAPSHOT_PATH = /^\/snapshot\/(0|[1-9][0-9]{0,14})$/;

/** Gives out versions and snapshots; only this Worker reaches it. */
export class Access extends WorkerEntrypoint<Env> {
  /** Answers `/version` and `/snapshot/{version}`. */
  override async fetch(request: Request): Promise<Response> {
    try {
      return await this.#answer(new URL(request.url).pathname);
    } catch (error) {
      logEvent('error', 'access-registry-failed', { cause: describeError(error) });
      return errorAnswer(503, 'unavailable');
    }
  }

  async #answer(path: string): Promise<Response> {
    const registry = this.env.ACCESS_REGISTRY?.getByName(REGISTRY_NAME);
    if (registry === undefined) {
      logEvent('error', 'access-not-configured', {
        detail: 'bind the Durable Object class AccessRegistry as ACCESS_REGISTRY: see wrangler.toml',
      });
      return errorAnswer(503, 'not-configured');
    }
    if (path === '/version') {
      const version = await registry.version();
      return Response.json({ version }, { headers: { 'cache-control': VERSION_CACHE_CONTROL } });
    }
    const asked = SNAPSHOT_PATH.exec(path)?.[1];
    if (asked === undefined) {
      return errorAnswer(404, 'no-such-path');
    }
    // Perhaps newer than asked for by now, and that is as well.
    const { version, json } = await registry.snapshot();
    return version < Number(asked)
      ? errorAnswer(404, 'no-such-version')
      : new Response(json, {
          headers: { 'content-type': 'application/json', 'cache-control': SNAPSHOT_CACHE_CONTROL },
        });
  }
}
