/**
 * What stands before the Worker when Cloudflare does not: does for a request what Cloudflare's network would have
 * done before. The host bundles it around the Worker's default export, since each Worker between a socket and the
 * edge costs a request more time than all that the edge does.
 */

import { WHOLE } from '../../shared/whole-answer.ts';

/** Types that Cloudflare compresses and this project serves as text. */
const COMPRESSED =
  /^(?:text\/|application\/(?:vnd\.apple\.mpegurl|dash\+xml|json|javascript|manifest\+json))/;
/** Bodies shorter than this, bytes, grow when compressed. */
const SMALLEST_COMPRESSED = 256;
const ACCEPTS_GZIP = /(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[0-9.]+\s*)?(?:,|$)/i;
/** What Cloudflare would have set: here a client's word on where it comes from, unless the host's own proxy sets it. */
const PLATFORM_ADDRESS_HEADER = 'CF-Connecting-IP';

/** A Worker's default export. */
interface Handler {
  readonly fetch: (request: Request, env: unknown, context: unknown) => Response | Promise<Response>;
}

/** What the front knows. */
export interface FrontOptions {
  /** `request.cf` of every request. */
  readonly cf: Readonly<Record<string, unknown>>;
  /** The header in which the proxy before this edge names the viewer's address, where there is one. */
  readonly addressHeader?: string | undefined;
}

/** Puts the front before a Worker. */
export function behindFront<H extends Handler>(worker: H, { cf, addressHeader }: FrontOptions): H {
  const isPlatformHeader = addressHeader?.toLowerCase() === PLATFORM_ADDRESS_HEADER.toLowerCase();
  const unchecked = isPlatformHeader ? undefined : PLATFORM_ADDRESS_HEADER;
  tellOrigin(cf);
  const fetch: Handler['fetch'] = async (request, env, context) => {
    try {
      const answer = await worker.fetch(checkedRequest(request, unchecked), env, context);
      return WHOLE in answer ? answer : compress(request.headers.get('Accept-Encoding'), answer);
    } catch (error) {
      // oxlint-disable-next-line no-console -- the console is the log of a Worker, and the client learns nothing of it
      console.error(error);
      return new Response('Internal Server Error\n', {
        status: 500,
        headers: { 'Cache-Control': 'no-store' },
      });
    }
  };
  return { ...worker, fetch };
}

/**
 * Says for all requests at once where they come from, over the runtime's own word, which a client can set with
 * `MF-CF-Blob`: a property of each request would take a thirtieth of the time that the edge takes for it.
 */
function tellOrigin(cf: FrontOptions['cf']): void {
  Object.defineProperty(Request.prototype, 'cf', { get: () => cf, configurable: true });
}

function checkedRequest(request: Request, unchecked: string | undefined): Request {
  if (unchecked === undefined || !request.headers.has(unchecked)) {
    return request;
  }
  const headers = new Headers(request.headers);
  headers.delete(unchecked);
  return new Request(request, { headers });
}

/** Asks workerd to compress a text answer; it does so when a Content-Encoding is set on an unencoded body. */
function compress(acceptEncoding: string | null, response: Response): Response {
  if (!ACCEPTS_GZIP.test(acceptEncoding ?? '') || !isCompressible(response)) {
    return response;
  }
  const encoded = new Response(response.body, response);
  encoded.headers.set('Content-Encoding', 'gzip');
  if (!/\baccept-encoding\b/i.test(response.headers.get('Vary') ?? '')) {
    encoded.headers.append('Vary', 'Accept-Encoding');
  }
  encoded.headers.delete('Content-Length');
  // As Cloudflare does: the encoded bytes are no longer those that a strong ETag names.
  const etag = response.headers.get('ETag');
  if (etag?.startsWith('"') === true) {
    encoded.headers.set('ETag', `W/${etag}`);
  }
  return encoded;
}

/** Looks at the body last: a body that was looked at is a stream, and its bytes are no longer sent as they lie. */
function isCompressible(response: Response): boolean {
  const { headers } = response;
  return (
    COMPRESSED.test(headers.get('Content-Type') ?? '') &&
    !headers.has('Content-Encoding') &&
    response.status === 200 &&
    Number(headers.get('Content-Length') ?? SMALLEST_COMPRESSED) >= SMALLEST_COMPRESSED &&
    response.body !== null
  );
}
