/** Playback: authorize, ask delivery for the canonical request, rewrite for this viewer. */

import type { AccessSnapshot } from '../../shared/access/access-snapshot.ts';
import { decidePolicy, streamPolicy } from '../../shared/access/decide-policy.ts';
import type { Grant } from '../../shared/access/grant.ts';
import type { Result } from '../../shared/result.ts';
import { findRevocation } from '../access/revocation-check.ts';
import type { AccessUnavailable } from '../access/registry/snapshot-source.ts';
import { errorAnswer } from '../answer.ts';
import { cacheControl } from '../delivery/cache-policy.ts';
import type { Env } from '../env.ts';
import { describeError, logEvent } from '../log.ts';
import { parseLiveResource, type LiveResource } from '../resource.ts';
import { authorize } from './authorize.ts';
import { canonicalRequest } from './canonical-request.ts';
import { denialAnswer } from './denial-answer.ts';
import { findToken, splitTokenPath, type FoundToken } from './find-token.ts';
import { applyRequest } from './http-semantics.ts';
import { placeOf } from './place.ts';
import type { RenditionHeights } from './rendition-heights.ts';
import { requestFacts } from './request-facts.ts';
import { rewritePlaylist } from './rewrite.ts';
import { viewerChange } from './viewer-change.ts';

/** Sends a canonical request to delivery; the viewer's own says where it came from. */
export type Deliver = (canonical: Request, viewer: Request, env: Env) => Promise<Response>;

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
    readonly heights: RenditionHeights;
    readonly now: number;
    readonly snapshot: () => Promise<Result<AccessSnapshot, AccessUnavailable>>;
    /** Keeps work alive that goes on after the answer. */
    readonly background: (work: Promise<unknown>) => void;
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
  const snapshot = await context.snapshot();
  if (!snapshot.ok) {
    return errorAnswer(503, 'unavailable', { headers: { 'retry-after': '1' } });
  }
  const place = placeOf(request, context.env);
  const authorized = await authorize({
    found,
    stream,
    place,
    keys: snapshot.value.keys,
    request: requestFacts(request, url),
    secret: context.env.RILL_PLAY_SECRET,
    now: context.now,
    background: context.background,
  });
  if (!authorized.ok || found === undefined) {
    return denialAnswer(authorized.ok ? { reason: 'token-missing' } : authorized.failure, stream);
  }
  const revoked = findRevocation(authorized.value, snapshot.value.revocations, context.now);
  if (revoked !== undefined) {
    return denialAnswer(revoked, stream);
  }
  const decision = decidePolicy(streamPolicy(snapshot.value.policies, stream), place, context.now);
  if (decision.kind === 'deny') {
    const denial = { reason: 'location-blocked', rule: decision.rule, country: place.country } as const;
    return denialAnswer(denial, stream);
  }
  const grant = limitHeight(authorized.value, decision.maxHeight);
  const deliver = (canonical: Request): Promise<Response> =>
    deliverSafely(canonical, () => context.deliver(canonical, request, context.env));
  const refused = await refuseAboveHeight(resource.value, grant, { ...context, deliver });
  if (refused !== undefined) {
    return applyRequest(request, refused);
  }
  const delivered = await deliver(canonicalRequest(resource.value, url.searchParams));
  const forViewer = await rewriteForViewer(delivered, {
    resource: resource.value,
    grant,
    found,
    url,
  });
  return applyRequest(request, forViewer);
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
  delivered: Response,
  viewer: {
    readonly resource: LiveResource;
    readonly grant: Grant;
    readonly found: FoundToken;
    readonly url: URL;
  },
): Promise<Response> {
  const headers = viewerHeaders(delivered, viewer.found);
  const change = viewerChange(viewer);
  if (delivered.status !== 200 || change === undefined) {
    return new Response(delivered.body, { status: delivered.status, headers });
  }
  // Not `text()`: the runtime warns of each body that is not text by its content type.
  const text = new TextDecoder().decode(await delivered.arrayBuffer());
  const rewritten = rewritePlaylist(text, change, viewer.url);
  if (rewritten === undefined) {
    const limit = change.maxHeight ?? 0;
    return denialAnswer({ reason: 'above-height', height: undefined, limit }, viewer.resource.stream);
  }
  const playlist = new TextEncoder().encode(rewritten);
  headers.set('content-length', String(playlist.length));
  if (change.maxHeight !== undefined) {
    // The limit is not in the URL, so the tag has to tell the copies apart (RFC 9110 §8.8.3).
    headers.set('etag', limitedTag(headers.get('etag') ?? '""', change.maxHeight));
  }
  return new Response(playlist, { headers });
}

function limitedTag(etag: string, maxHeight: number): string {
  return etag.replace(/"$/, `;${maxHeight}p"`);
}

function viewerHeaders(delivered: Response, found: FoundToken): Headers {
  const headers = new Headers();
  for (const name of VIEWER_HEADERS) {
    const value = delivered.headers.get(name);
    if (value !== null) {
      headers.set(name, value);
    }
  }
  if (found.place === 'header' || found.place === 'cookie') {
    // Here the URL alone opens nothing, so no cache that others share may answer with it.
    headers.set('cache-control', (headers.get('cache-control') ?? 'no-store').replace(/^public/, 'private'));
  }
  return headers;
}

/** The grant within a policy's limit. */
function limitHeight(grant: Grant, limit: number | undefined): Grant {
  return limit === undefined || (grant.maxHeight ?? Number.POSITIVE_INFINITY) <= limit
    ? grant
    : { ...grant, maxHeight: limit };
}
