/** Cross-origin access (Fetch §3.2): players live on other people's pages. */

/** How long a browser keeps a preflight's answer, seconds; Chromium keeps it no longer than two hours. */
const PREFLIGHT_SECONDS = 7_200;
/** `Authorization` is never covered by the wildcard. */
const ALLOWED_HEADERS =
  'Authorization, Content-Type, CTA-Common-Access-Token, If-None-Match, If-Range, Range, CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status';
const EXPOSED_HEADERS =
  'Age, Content-Length, Content-Location, Content-Range, Date, ETag, Retry-After, Server-Timing';

/** Headers that let any origin read an answer. */
export const ANY_ORIGIN: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': EXPOSED_HEADERS,
};

/** Lets any origin read an answer that does not say so yet; its headers must be changeable. */
export function allowEveryOrigin(answer: Response): void {
  if (!answer.headers.has('access-control-allow-origin')) {
    Object.entries(ANY_ORIGIN).forEach(([name, value]) => answer.headers.set(name, value));
  }
}

/** Answers `OPTIONS`, as a preflight or plain, with the methods of a path. */
export function preflightAnswer(methods: string): Response {
  return new Response(null, {
    status: 204,
    headers: {
      allow: methods,
      'access-control-allow-methods': methods,
      'access-control-allow-headers': ALLOWED_HEADERS,
      'access-control-max-age': String(PREFLIGHT_SECONDS),
      'cache-control': `public, max-age=${PREFLIGHT_SECONDS}`,
    },
  });
}
