/** Playback: authorize, ask delivery for the canonical request, rewrite for this viewer. */

import type { Grant } from '../../shared/tokens/grant.ts';
import { errorAnswer } from '../answer.ts';
import { cacheControl } from '../delivery/cache-policy.ts';
import { takeAnswer, type Delivered } from '../delivery/delivered.ts';
import type { Env } from '../env.ts';
import { describeError, logEvent } from '../log.ts';
import { parseLiveResource, type LiveResource } from '../resource.ts';
import { authorize } from './authorize.ts';
import { canonicalPath, canonicalRequest } from './canonical-request.ts';
import { ANY_ORIGIN } from './cors.ts';
import { denialAnswer } from './denial-answer.ts';
import { findToken, splitTokenPath, type FoundToken } from './find-token.ts';
import type { RecordAnswered } from '../qos/record-delivery.ts';
import { applyRequest } from './http-semantics.ts';
import type { RenditionHeights } from './rendition-heights.ts';
import { rewritePlaylist } from './rewrite.ts';
import { viewerChange } from './viewer-change.ts';

/** Sends a canonical request to delivery; the viewer's own says where it came from. */
export type Deliver = (canonical: Request, viewer: Request, env: Env) => Promise<Response>;
/** Finds what this edge itself keeps under a canonical path and query, at no cost worth a promise. */
export type FindKept = (canonicalPath: string, env: Env) => Delivered | undefined;

/** Headers of delivery's answer that a viewer gets. */
const VIEWER_HEADERS = [
  'accept-ranges',
  'age',
  'cache-control',
  'cache-status',
  'content-length',
  'content-type',
  'etag',
  'retry-after',
];

/** Answers `GET` and `HEAD` below `/live/` and `/t/{token}/live/`; `now` is Unix seconds. */
export async function answerPlayback(
  request: Request,
  context: {
    readonly env: Env;
    readonly deliver: Deliver;
    readonly findKept: FindKept;
    readonly heights: RenditionHeights;
    readonly now: number;
    /** Hears of each answered request; it keeps nobody waiting. */
    readonly record?: RecordAnswered;
  },
): Promise<Response> {
  const url = new URL(request.url);
  const resource = parseLiveResource(splitTokenPath(url.pathname).path);
  if (!resource.ok) {
    return errorAnswer(404, resource.failure.reason, {
      detail: resource.failure.detail,
      headers: { 'cache-control': cacheControl({ kind: 'refusal' }) },
    });
  }
  const found = findToken(request, url);
  const stream = resource.value.stream;
  const grant = await authorize({
    found,
    stream,
    country: viewerCountry(request),
    secret: context.env.RILL_PLAY_SECRET,
    now: context.now,
  });
  if (!grant.ok || found === undefined) {
    return denialAnswer(grant.ok ? { reason: 'token-missing' } : grant.failure, stream);
  }
  const deliver = (canonical: Request): Promise<Response> =>
    deliverSafely(canonical, () => context.deliver(canonical, request, context.env));
  const refused = await refuseAboveHeight(resource.value, grant.value, { ...context, deliver });
  if (refused !== undefined) {
    return respond(await applyRequest(request, takeAnswer(refused)));
  }
  const canonical = canonicalPath(resource.value, url.searchParams);
  const delivered =
    context.findKept(canonical, context.env) ?? takeAnswer(await deliver(canonicalRequest(canonical)));
  const forViewer = await rewriteForViewer(delivered, {
    resource: resource.value,
    grant: grant.value,
    found,
    url,
  });
  const answer = await applyRequest(request, forViewer);
  context.record?.({
    request,
    resource: resource.value,
    viewer: grant.value.viewer,
    token: found.token,
    delivered,
    answer,
  });
  return respond(answer);
}

function respond({ status, headers, body }: Delivered): Response {
  return new Response(body, { status, headers: { ...headers, ...ANY_ORIGIN } });
}

async function deliverSafely(
  canonical: Request,
  deliver: (canonical: Request) => Promise<Response>,
): Promise<Response> {
  try {
    return await deliver(canonical);
  } catch (error) {
    logEvent('error', 'delivery-unreachable', { cause: describeError(error) });
    return errorAnswer(503, 'unavailable', { headers: { 'retry-after': '1' } });
  }
}

/** What a rendition above the grant's height is answered with, be it asked for by a guessed URL; else nothing. */
async function refuseAboveHeight(
  resource: LiveResource,
  grant: Grant,
  context: {
    readonly heights: RenditionHeights;
    readonly deliver: (canonical: Request) => Promise<Response>;
    readonly now: number;
  },
): Promise<Response | undefined> {
  const limit = grant.maxHeight;
  if (limit === undefined || resource.kind === 'multivariant-playlist') {
    return undefined;
  }
  const found = await context.heights.find(resource, context);
  switch (found.kind) {
    case 'unavailable':
      return found.answer;
    case 'unknown':
      return denialAnswer({ reason: 'above-height', height: undefined, limit }, resource.stream);
    case 'known':
      return found.height <= limit
        ? undefined
        : denialAnswer({ reason: 'above-height', height: found.height, limit }, resource.stream);
  }
}

async function rewriteForViewer(
  delivered: Delivered,
  viewer: {
    readonly resource: LiveResource;
    readonly grant: Grant;
    readonly found: FoundToken;
    readonly url: URL;
  },
): Promise<Delivered> {
  const headers = viewerHeaders(delivered, viewer.found);
  const change = viewerChange(viewer);
  if (delivered.status !== 200 || change === undefined) {
    return { ...delivered, headers };
  }
  // Not `text()`: the runtime warns of each body that is not text by its content type.
  const text = new TextDecoder().decode(await new Response(delivered.body).arrayBuffer());
  const rewritten = rewritePlaylist(text, change, viewer.url);
  if (rewritten === undefined) {
    const limit = change.maxHeight ?? 0;
    return takeAnswer(
      denialAnswer({ reason: 'above-height', height: undefined, limit }, viewer.resource.stream),
    );
  }
  const playlist = new TextEncoder().encode(rewritten);
  headers['content-length'] = String(playlist.length);
  if (change.maxHeight !== undefined) {
    // The limit is not in the URL, so the tag has to tell the copies apart (RFC 9110 §8.8.3).
    headers['etag'] = limitedTag(headers['etag'] ?? '""', change.maxHeight);
  }
  return { status: 200, headers, body: playlist };
}

function limitedTag(etag: string, maxHeight: number): string {
  return etag.replace(/"$/, `;${maxHeight}p"`);
}

function viewerHeaders(delivered: Delivered, found: FoundToken): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of VIEWER_HEADERS) {
    const value = delivered.headers[name];
    if (value !== undefined) {
      headers[name] = value;
    }
  }
  if (found.place === 'header' || found.place === 'cookie') {
    // Here the URL alone opens nothing, so no cache that others share may answer with it.
    headers['cache-control'] = (headers['cache-control'] ?? 'no-store').replace(/^public/, 'private');
  }
  return headers;
}

/** ISO 3166-1 alpha-2 country from which the platform saw the request come. */
function viewerCountry(request: Request): string | undefined {
  const country: unknown = request.cf?.['country'];
  return typeof country === 'string' ? country : undefined;
}
