/**
 * From a canonical URL to an answer that any cache may keep as it says. Answers are whole representations, since a
 * cache keeps no 206; ranges and conditions are the gateway's, behind the cache.
 */

import { errorAnswer } from '../answer.ts';
import type { Env } from '../env.ts';
import { describeError, logEvent } from '../log.ts';
import { parseLiveResource } from '../resource.ts';
import { cacheControl } from './cache-policy.ts';
import { deliverMedia } from './media.ts';
import { deliverPlaylist } from './playlist.ts';

/** Seconds after which a player asks again when hub or storage failed. */
const RETRY_AFTER_SECONDS = 1;

/** Answers a canonical request; a failing hub or storage is a 503, never an exception. */
export async function deliver(request: Request, env: Env): Promise<Response> {
  const url = new URL(request.url);
  const resource = parseLiveResource(url.pathname);
  if (!resource.ok) {
    return errorAnswer(404, resource.failure.reason, {
      detail: resource.failure.detail,
      headers: { 'cache-control': cacheControl({ kind: 'refusal' }) },
    });
  }
  try {
    return resource.value.kind === 'media'
      ? await deliverMedia(resource.value, env)
      : await deliverPlaylist(resource.value, url, env);
  } catch (error) {
    logEvent('error', 'delivery-failed', { path: url.pathname, cause: describeError(error) });
    return errorAnswer(503, 'unavailable', {
      headers: {
        'retry-after': String(RETRY_AFTER_SECONDS),
        'cache-control': cacheControl({ kind: 'failure' }),
      },
    });
  }
}
