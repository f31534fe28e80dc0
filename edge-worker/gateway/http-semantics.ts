/** From delivery's whole representation to what this request asked for: conditions, ranges, HEAD, encoding. */

import { decideRange, sliceBody } from './byte-range.ts';

/** Shortest playlist that is compressed, bytes: below, the saving is less than a packet. */
const MIN_COMPRESSED_BYTES = 1_024;
const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';

/** Applies RFC 9110 §9.3.2, §13 and §14 to an answer whose headers may be changed. */
export async function applyRequest(request: Request, answer: Response): Promise<Response> {
  if (answer.status !== 200) {
    return withoutBodyOnHead(request, answer);
  }
  const isPlaylist = answer.headers.get('content-type') === PLAYLIST_TYPE;
  if (isPlaylist) {
    answer.headers.set('vary', 'Accept-Encoding');
  }
  const etag = answer.headers.get('etag');
  if (etag !== null && matchesTag(request.headers.get('if-none-match'), etag)) {
    return notModified(answer);
  }
  if (isPlaylist) {
    return withoutBodyOnHead(request, compressPlaylist(request, answer));
  }
  return withoutBodyOnHead(request, await applyRange(request, answer));
}

/** Whether `If-None-Match` names an entity tag, by weak comparison: RFC 9110 §13.1.2. */
function matchesTag(header: string | null, etag: string): boolean {
  if (header === null) {
    return false;
  }
  const opaque = (tag: string): string => tag.trim().replace(/^W\//, '');
  return header.trim() === '*' || header.split(',').some((tag) => opaque(tag) === opaque(etag));
}

async function applyRange(request: Request, answer: Response): Promise<Response> {
  const length = answer.headers.get('content-length');
  const ifRange = request.headers.get('if-range');
  if (length === null || answer.body === null || request.method !== 'GET') {
    return answer;
  }
  if (ifRange !== null && ifRange !== answer.headers.get('etag')) {
    return answer;
  }
  const size = Number(length);
  const range = decideRange(request.headers.get('range'), size);
  if (range.kind === 'whole') {
    return answer;
  }
  const headers = new Headers(answer.headers);
  if (range.kind === 'unsatisfiable') {
    await answer.body.cancel();
    headers.set('content-range', `bytes */${size}`);
    headers.set('cache-control', 'no-store');
    headers.delete('content-length');
    headers.delete('content-type');
    return new Response(null, { status: 416, headers });
  }
  headers.set('content-range', `bytes ${range.first}-${range.last}/${size}`);
  headers.set('content-length', String(range.last - range.first + 1));
  return new Response(sliceBody(answer.body, range.first, range.last), { status: 206, headers });
}

/** Declares gzip, which the runtime then applies (RFC 9110 §8.4); the platform leaves this content type alone. */
function compressPlaylist(request: Request, answer: Response): Response {
  const size = Number(answer.headers.get('content-length') ?? MIN_COMPRESSED_BYTES);
  if (size < MIN_COMPRESSED_BYTES || !acceptsGzip(acceptedEncodings(request))) {
    return answer;
  }
  const headers = new Headers(answer.headers);
  headers.set('content-encoding', 'gzip');
  headers.set('etag', `W/${(headers.get('etag') ?? '""').replace(/^W\//, '')}`);
  headers.delete('content-length');
  return new Response(answer.body, { headers });
}

/** What the client accepts: the platform puts its own into `Accept-Encoding` and the client's into `cf`. */
function acceptedEncodings(request: Request): string {
  const client: unknown = request.cf?.['clientAcceptEncoding'];
  return typeof client === 'string' ? client : (request.headers.get('accept-encoding') ?? '');
}

function acceptsGzip(header: string): boolean {
  return header.split(',').some((coding) => /^\s*gzip\s*(;\s*q=(1|0?\.0*[1-9])|$)/i.test(coding));
}

async function notModified(answer: Response): Promise<Response> {
  await answer.body?.cancel();
  const headers = new Headers(answer.headers);
  for (const name of ['content-length', 'content-type', 'accept-ranges']) {
    headers.delete(name);
  }
  return new Response(null, { status: 304, headers });
}

async function withoutBodyOnHead(request: Request, answer: Response): Promise<Response> {
  if (request.method !== 'HEAD' || answer.body === null) {
    return answer;
  }
  await answer.body.cancel();
  return new Response(null, { status: answer.status, headers: answer.headers });
}
