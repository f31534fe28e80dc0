/** From delivery's whole representation to what this request asked for: conditions, ranges, HEAD, encoding. */

import { MIN_COMPRESSED_BYTES, PLAYLIST_TYPE } from '../delivery/cache/gzip-copy.ts';
import { discardBody, type Delivered } from '../delivery/delivered.ts';
import { decideRange, sliceBody } from './byte-range.ts';

/** A playlist has them, compressed or not. */
export const PLAYLIST_HEADERS: Readonly<Record<string, string>> = { vary: 'Accept-Encoding' };

const GZIP_CODING = /^\s*gzip\s*(;\s*q=(1|0?\.0*[1-9])|$)/i;

/** Applies RFC 9110 §9.3.2, §13 and §14 to an answer. */
export async function applyRequest(request: Request, answer: Delivered): Promise<Delivered> {
  return withoutBodyOnHead(request, await applyHeaders(request, answer));
}

async function applyHeaders(request: Request, answer: Delivered): Promise<Delivered> {
  if (answer.status !== 200) {
    return answer;
  }
  const isPlaylist = answer.headers['content-type'] === PLAYLIST_TYPE;
  const whole = isPlaylist ? withHeaders(answer, PLAYLIST_HEADERS) : answer;
  const etag = answer.headers['etag'];
  if (etag !== undefined && matchesTag(request.headers.get('if-none-match'), etag)) {
    return notModified(whole);
  }
  return isPlaylist ? compressPlaylist(request, whole) : applyRange(request, whole);
}

function withHeaders(answer: Delivered, headers: Readonly<Record<string, string>>): Delivered {
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

/** Whether `If-None-Match` names an entity tag, by weak comparison: RFC 9110 §13.1.2. */
function matchesTag(header: string | null, etag: string): boolean {
  if (header === null) {
    return false;
  }
  const opaque = (tag: string): string => tag.trim().replace(/^W\//, '');
  return header.trim() === '*' || header.split(',').some((tag) => opaque(tag) === opaque(etag));
}

async function applyRange(request: Request, answer: Delivered): Promise<Delivered> {
  const { 'content-length': length, etag } = answer.headers;
  const header = request.headers.get('range');
  if (header === null || length === undefined || answer.body === null || request.method !== 'GET') {
    return answer;
  }
  const ifRange = request.headers.get('if-range');
  if (ifRange !== null && ifRange !== etag) {
    return answer;
  }
  const size = Number(length);
  const range = decideRange(header, size);
  switch (range.kind) {
    case 'whole':
      return answer;
    case 'unsatisfiable':
      return unsatisfiable(answer, size);
    case 'part': {
      const headers = {
        'content-range': `bytes ${range.first}-${range.last}/${size}`,
        'content-length': String(range.last - range.first + 1),
      };
      return {
        ...withHeaders(answer, headers),
        status: 206,
        body: sliceBody(answer.body, range.first, range.last),
      };
    }
  }
}

async function unsatisfiable(answer: Delivered, size: number): Promise<Delivered> {
  await discardBody(answer);
  const { 'content-length': _length, 'content-type': _type, ...headers } = answer.headers;
  return {
    status: 416,
    headers: { ...headers, 'content-range': `bytes */${size}`, 'cache-control': 'no-store' },
    body: null,
  };
}

/** Declares gzip, which the runtime then applies (RFC 9110 §8.4); the platform leaves this content type alone. */
function compressPlaylist(request: Request, answer: Delivered): Delivered {
  const length = Number(answer.headers['content-length'] ?? MIN_COMPRESSED_BYTES);
  return length < MIN_COMPRESSED_BYTES || !acceptsGzip(request)
    ? answer
    : { ...answer, headers: asGzip(answer.headers) };
}

/** Headers of an answer once its body is compressed with gzip; the length is another then, and the tag a weak one. */
export function asGzip(plain: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { 'content-length': _length, ...headers } = plain;
  const { etag } = headers;
  const tag = etag === undefined ? {} : { etag: `W/${etag.replace(/^W\//, '')}` };
  return { ...headers, ...tag, 'content-encoding': 'gzip' };
}

/** Whether a client takes gzip, RFC 9110 §12.5.3. */
export function acceptsGzip(request: Request): boolean {
  const header = acceptedEncodings(request);
  return header.split(',').some((coding) => GZIP_CODING.test(coding));
}

/** What the client accepts: the platform puts its own into `Accept-Encoding` and the client's into `cf`. */
function acceptedEncodings(request: Request): string {
  const client: unknown = request.cf?.['clientAcceptEncoding'];
  return typeof client === 'string' ? client : (request.headers.get('accept-encoding') ?? '');
}

async function notModified(answer: Delivered): Promise<Delivered> {
  await discardBody(answer);
  const {
    'content-length': _length,
    'content-type': _type,
    'accept-ranges': _ranges,
    ...headers
  } = answer.headers;
  return { status: 304, headers, body: null };
}

async function withoutBodyOnHead(request: Request, answer: Delivered): Promise<Delivered> {
  if (request.method !== 'HEAD' || answer.body === null) {
    return answer;
  }
  await discardBody(answer);
  return { ...answer, body: null };
}
