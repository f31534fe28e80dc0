/** Publishing: an origin with the service token speaks to a stream's hub through the gateway. */

import { parseStreamName, type StreamName } from '../../shared/identifiers.ts';
import { MAX_BODY_BYTES } from '../../shared/wire/publish.ts';
import { errorAnswer } from '../answer.ts';
import type { Env } from '../env.ts';
import { describeError, logEvent } from '../log.ts';

const EPOCH_OR_LEASE = /^(0|[1-9][0-9]{0,14}|lease)$/;
const LENGTH = /^[0-9]{1,15}$/;
const BEARER = /^bearer +(\S+) *$/i;

/**
 * Answers `POST /publish/{stream}/{epoch}`, `POST /publish/{stream}/lease` and `GET /publish/{stream}` with what the
 * hub says; `taken` hears of each update that a hub has taken.
 */
export async function answerPublish(
  request: Request,
  env: Env,
  taken: (stream: StreamName) => void = () => undefined,
): Promise<Response> {
  const expected = env.RILL_SERVICE_TOKEN;
  if (expected === undefined || expected === '') {
    logEvent('error', 'publish-not-configured', {
      detail: 'set RILL_SERVICE_TOKEN: wrangler secret put RILL_SERVICE_TOKEN',
    });
    return errorAnswer(503, 'not-configured', { headers: { 'retry-after': '30' } });
  }
  if (!(await hasServiceToken(request, expected))) {
    logEvent('warn', 'publish-denied', { path: new URL(request.url).pathname.slice(0, 100) });
    return errorAnswer(401, 'unauthorized', {
      headers: { 'www-authenticate': 'Bearer realm="rill-publish"' },
    });
  }
  const [, , streamText = '', epochText] = new URL(request.url).pathname.split('/', 4);
  const stream = parseStreamName(streamText);
  if (!stream.ok) {
    return errorAnswer(400, stream.failure.reason, { detail: `stream name: ${stream.failure.expected}` });
  }
  const refusal = request.method === 'POST' ? refuseUpdate(request, epochText) : undefined;
  const answer = refusal ?? (await forward(request, stream.value, env));
  if (request.method === 'POST' && answer.ok) {
    taken(stream.value);
  }
  return answer;
}

function refuseUpdate(request: Request, epoch: string | undefined): Response | undefined {
  if (epoch === undefined || !EPOCH_OR_LEASE.test(epoch)) {
    return errorAnswer(400, 'invalid-epoch', {
      detail: 'POST /publish/{stream}/{epoch}, epoch in Unix seconds, or POST /publish/{stream}/lease',
    });
  }
  const length = request.headers.get('content-length');
  if (length === null || !LENGTH.test(length)) {
    return errorAnswer(411, 'length-required', { detail: 'send Content-Length' });
  }
  if (Number(length) > MAX_BODY_BYTES) {
    return errorAnswer(413, 'too-large', { detail: `at most ${MAX_BODY_BYTES} bytes in one request` });
  }
  return undefined;
}

async function forward(request: Request, stream: StreamName, env: Env): Promise<Response> {
  const forwarded = new Request(request);
  forwarded.headers.delete('authorization');
  try {
    const answer = await env.HUB.getByName(stream).fetch(forwarded);
    const headers = new Headers(answer.headers);
    headers.set('cache-control', 'no-store');
    return new Response(answer.body, { status: answer.status, headers });
  } catch (error) {
    logEvent('error', 'publish-failed', { stream, cause: describeError(error) });
    return errorAnswer(503, 'unavailable', { headers: { 'retry-after': '1' } });
  }
}

/** Compares digests, so that neither length nor content of the token shows in the time it takes. */
async function hasServiceToken(request: Request, expected: string): Promise<boolean> {
  const presented = BEARER.exec(request.headers.get('authorization') ?? '')?.[1] ?? '';
  const [ours, theirs] = await Promise.all([digest(expected), digest(presented)]);
  return crypto.subtle.timingSafeEqual(ours, theirs);
}

async function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
}
