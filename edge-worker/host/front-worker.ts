/**
 * What stands before the Worker when Cloudflare does not: a Worker of its own that does for a request what
 * Cloudflare's network would have done before. It runs in workerd and is bundled from this file.
 */

/** Types that Cloudflare compresses and this project serves as text. */
const COMPRESSED =
  /^(?:text\/|application\/(?:vnd\.apple\.mpegurl|dash\+xml|json|javascript|manifest\+json))/;

/** Bodies shorter than this, bytes, grow when compressed. */
const SMALLEST_COMPRESSED = 256;
const ACCEPTS_GZIP = /(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[0-9.]+\s*)?(?:,|$)/i;

/** The front's bindings. */
export interface FrontEnvironment {
  readonly EDGE: { readonly fetch: (request: Request) => Promise<Response> };
  /** `request.cf` of every request. */
  readonly CF: Readonly<Record<string, unknown>>;
}

interface FrontWorker {
  readonly fetch: (request: Request, env: FrontEnvironment) => Promise<Response>;
}

const front: FrontWorker = {
  async fetch(request, env) {
    const headers = new Headers(request.headers);
    // A client's word on where it comes from; nobody in front of this Worker has checked it.
    headers.delete('MF-CF-Blob');
    headers.delete('CF-Connecting-IP');
    const init: RequestInit & { readonly cf: unknown } = { headers, cf: env.CF };
    try {
      return compress(
        request.headers.get('Accept-Encoding'),
        await env.EDGE.fetch(new Request(request, init)),
      );
    } catch {
      // workerd has logged what was thrown; the client learns nothing of it.
      return new Response('Internal Server Error\n', {
        status: 500,
        headers: { 'Cache-Control': 'no-store' },
      });
    }
  },
};

// The Workers runtime finds a Worker by its default export.
// oxlint-disable-next-line import/no-default-export
export default front;

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

function isCompressible(response: Response): boolean {
  const { headers } = response;
  return (
    response.status === 200 &&
    response.body !== null &&
    !headers.has('Content-Encoding') &&
    COMPRESSED.test(headers.get('Content-Type') ?? '') &&
    Number(headers.get('Content-Length') ?? SMALLEST_COMPRESSED) >= SMALLEST_COMPRESSED
  );
}
