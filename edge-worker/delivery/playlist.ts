/** Multivariant and media playlists, as the hub renders them. */

import { errorAnswer } from '../answer.ts';
import type { Env } from '../env.ts';
import { TARGET_DURATION_HEADER } from '../hub/hub-headers.ts';
import { liveResourcePath, type LiveResource } from '../resource.ts';
import { cacheControl, type CacheSubject } from './cache-policy.ts';
import { askHub } from './hub-client.ts';
import { SERVED_BY_HEADER } from './served-by.ts';

/** Taken where the hub does not tell, seconds: the shortest target duration there is. */
const SHORTEST_TARGET_DURATION = 1;
/** Bytes of a playlist's digest in its entity tag: too many to meet by chance. */
const TAG_BYTES = 12;
/** Longest reason of the hub that is passed on, characters. */
const MAX_DETAIL_LENGTH = 200;
const REFUSAL_POLICY = cacheControl({ kind: 'refusal' });

type PlaylistResource = Exclude<LiveResource, { readonly kind: 'media' }>;

/** Answers with a playlist; the hub's refusals are kept for a second, its failures not at all. */
export async function deliverPlaylist(resource: PlaylistResource, url: URL, env: Env): Promise<Response> {
  const blocking = resource.kind === 'media-playlist' && url.searchParams.has('_HLS_msn');
  const answer = await askHub(env.HUB, {
    stream: resource.stream,
    pathAndQuery: liveResourcePath(resource) + url.search,
    mayBeHeld: blocking,
  });
  if (answer.status !== 200) {
    return refusal(answer);
  }
  return playlistAnswer(answer, cacheSubject(resource, blocking, answer.headers));
}

function cacheSubject(resource: PlaylistResource, blocking: boolean, headers: Headers): CacheSubject {
  const targetDuration = Number(headers.get(TARGET_DURATION_HEADER)) || SHORTEST_TARGET_DURATION;
  if (resource.kind === 'multivariant-playlist') {
    return { kind: 'multivariant-playlist', targetDuration };
  }
  return blocking ? { kind: 'blocking-playlist', targetDuration } : { kind: 'plain-playlist' };
}

async function playlistAnswer(answer: Response, subject: CacheSubject): Promise<Response> {
  const body = await answer.arrayBuffer();
  return new Response(body, {
    headers: {
      'content-type': 'application/vnd.apple.mpegurl',
      'cache-control': cacheControl(subject),
      'content-length': String(body.byteLength),
      [SERVED_BY_HEADER]: 'hub',
      etag: answer.headers.get('etag') ?? (await contentTag(body)),
    },
  });
}

async function refusal(answer: Response): Promise<Response> {
  const detail = (await answer.text()).trim().slice(0, MAX_DETAIL_LENGTH);
  switch (answer.status) {
    case 400:
      return errorAnswer(400, 'invalid-directive', { detail, headers: { 'cache-control': REFUSAL_POLICY } });
    case 404:
      return errorAnswer(404, 'no-such-playlist', { detail, headers: { 'cache-control': REFUSAL_POLICY } });
    default:
      return errorAnswer(503, 'unavailable', {
        detail,
        headers: {
          'retry-after': answer.headers.get('retry-after') ?? '1',
          'cache-control': cacheControl({ kind: 'failure' }),
        },
      });
  }
}

async function contentTag(body: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body), 0, TAG_BYTES);
  return `"${[...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')}"`;
}
