/**
 * What this edge keeps, for a viewer who gets it byte by byte as everybody does: the whole of it, with headers that
 * are put together once for all viewers, since most of what a request costs beyond the runtime is its headers.
 */

import type { Answer } from '../delivery/cache/answer-store.ts';
import { MIN_COMPRESSED_BYTES, PLAYLIST_TYPE } from '../delivery/cache/gzip-copy.ts';
import { fromKept, type Kept } from '../delivery/cache/kept.ts';
import { ANY_ORIGIN } from './cors.ts';
import { acceptsGzip, asGzip, PLAYLIST_HEADERS } from './http-semantics.ts';
import { viewerHeaders } from './viewer-headers.ts';

/** Headers of one answer as viewers get them, until it is a second older or others come by it in another way. */
interface Prepared extends Pick<Kept, 'age' | 'how'> {
  readonly plain: Headers;
  readonly gzip: Headers;
}

const preparedFor = new WeakMap<Answer, Prepared>();

/** Answers with the whole as it is kept; `undefined` where a request asks for something else. */
export function answerWhole(request: Request, kept: Kept): Response | undefined {
  const { status, headers, body, gzip } = kept.answer;
  if (status !== 200 || request.method !== 'GET' || request.headers.has('if-none-match')) {
    return undefined;
  }
  if (headers['content-type'] !== PLAYLIST_TYPE) {
    return request.headers.has('range') ? undefined : new Response(body, { headers: prepare(kept).plain });
  }
  if (body.size < MIN_COMPRESSED_BYTES || !acceptsGzip(request)) {
    return new Response(body, { headers: prepare(kept).plain });
  }
  return gzip === undefined
    ? undefined
    : new Response(gzip, { headers: prepare(kept).gzip, encodeBody: 'manual' });
}

function prepare(kept: Kept): Prepared {
  const { answer, age, how } = kept;
  const known = preparedFor.get(answer);
  if (known?.age === age && known?.how === how) {
    return known;
  }
  const isPlaylist = answer.headers['content-type'] === PLAYLIST_TYPE;
  const headers = {
    ...viewerHeaders(fromKept(kept).headers, undefined),
    ...(isPlaylist ? PLAYLIST_HEADERS : {}),
    ...ANY_ORIGIN,
  };
  const prepared = { age, how, plain: new Headers(headers), gzip: new Headers(asGzip(headers)) };
  preparedFor.set(answer, prepared);
  return prepared;
}
