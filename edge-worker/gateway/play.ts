/** Playback: authorize, ask delivery for the canonical request, rewrite for this viewer. */

import type { AccessSnapshot } from '../../shared/access/access-snapshot.ts';
import type { Denial } from '../../shared/access/denial.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { AccessUnavailable } from '../access/registry/snapshot-source.ts';
import { errorAnswer, markWhole } from '../answer.ts';
import { cacheControl } from '../delivery/cache-policy.ts';
import { fromKept, type Kept } from '../delivery/cache/kept.ts';
import { discardBody, takeAnswer, type Delivered } from '../delivery/delivered.ts';
import type { Env } from '../env.ts';
import { describeError, logEvent } from '../log.ts';
import { parseLiveResource, type LiveResource } from '../resource.ts';
import { readAddress, type Address } from './address.ts';
import { authorize, isSessionStart, type Admission, type Asked, type Misconfiguration } from './authorize.ts';
import { askForWhole, canonicalPath, canonicalRequest } from './canonical-request.ts';
import { carryFromMultivariant, carryOn, type Carriage } from './carry-token.ts';
import { ANY_ORIGIN } from './cors.ts';
import { denialAnswer } from './denial-answer.ts';
import { splitTokenPath } from './find-token.ts';
import { outcomeOf, outcomeOfKept, type RecordAnswered } from '../qos/record-delivery.ts';
import { applyRequest } from './http-semantics.ts';
import { answerWhole } from './kept-copy.ts';
import type { OldestPlayable } from './oldest-playable.ts';
import { placeOf } from './place.ts';
import type { RenditionHeights } from './rendition-heights.ts';
import { aboveLimits, hasLimits, refuseBeyondLimits } from './refuse-limits.ts';
import { rewritePlaylist, type ViewerChange } from './rewrite.ts';
import { viewerChange } from './viewer-change.ts';
import { isHidden, viewerHeaders } from './viewer-headers.ts';
import type { ViewerSession } from './viewer-session.ts';

/** Sends a canonical request to delivery; the viewer's own says where it came from. */
export type Deliver = (canonical: Request, viewer: Request, env: Env) => Promise<Response>;
/** Finds what this edge itself keeps under a canonical path and query; a promise where it is being fetched. */
export type FindKept = (canonicalPath: string, env: Env) => Kept | Promise<Kept | undefined> | undefined;

/** What playback needs beside the request. */
export interface PlaybackContext {
  readonly env: Env;
  readonly deliver: Deliver;
  readonly findKept: FindKept;
  readonly sessions: ViewerSession;
  readonly heights: RenditionHeights;
  readonly oldest: OldestPlayable;
  /** Unix seconds. */
  readonly now: number;
  /** What the edge knows of who may watch. */
  readonly snapshot: () => Promise<Result<AccessSnapshot, AccessUnavailable>>;
  /** Keeps work alive that goes on after the answer. */
  readonly background: (work: Promise<unknown>) => void;
  /** Hears of each answered request; it keeps nobody waiting. */
  readonly record?: RecordAnswered;
}

/** Answers `GET` and `HEAD` below `/live/` and `/t/{token}/live/`. */
export async function answerPlayback(request: Request, context: PlaybackContext): Promise<Response> {
  const url = readAddress(request.url);
  const parsed = parseLiveResource(splitTokenPath(url.pathname).path);
  if (!parsed.ok) {
    return errorAnswer(404, parsed.failure.reason, {
      detail: parsed.failure.detail,
      headers: { 'cache-control': cacheControl({ kind: 'refusal' }) },
    });
  }
  const resource = parsed.value;
  const snapshot = await context.snapshot();
  if (!snapshot.ok) {
    return errorAnswer(503, 'unavailable', { headers: { 'retry-after': '1' } });
  }
  const { env, now, background } = context;
  const place = placeOf(request, env);
  const asked: Asked = { request, url, resource, place, env, snapshot: snapshot.value, now, background };
  const admission = await authorize(asked, context.sessions);
  if (!admission.ok) {
    return denialAnswer(admission.failure, resource.stream);
  }
  const deliver = (canonical: Request): Promise<Response> =>
    deliverSafely(canonical, () => context.deliver(canonical, request, context.env));
  const { grant } = admission.value;
  const refused = hasLimits(grant)
    ? await refuseBeyondLimits(resource, grant, { ...context, deliver })
    : undefined;
  if (refused !== undefined) {
    return respond(await applyRequest(request, takeAnswer(refused)));
  }
  const canonical = canonicalPath(resource, grant.timeShift === undefined ? url : askForWhole(url));
  const found = context.findKept(canonical, env);
  // Nobody waits for what is there already.
  const kept = found instanceof Promise ? await found : found;
  if (kept !== undefined && isForEveryone(asked, admission.value)) {
    const answer = answerWhole(request, kept);
    if (answer !== undefined) {
      context.record?.({ request, resource, place, admission: admission.value, ...outcomeOfKept(kept) });
      return markWhole(answer);
    }
  }
  const delivered =
    kept === undefined ? takeAnswer(await deliver(canonicalRequest(canonical))) : fromKept(kept);
  const carriage = await carry(delivered, { admission: admission.value, asked, sessions: context.sessions });
  if (!carriage.ok) {
    await discardBody(delivered);
    return denialAnswer(carriage.failure, resource.stream);
  }
  const viewer = { resource, admission: admission.value, carriage: carriage.value, url };
  const answer = await applyRequest(request, await rewriteForViewer(delivered, viewer));
  context.record?.({ request, resource, place, admission: admission.value, ...outcomeOf(delivered, answer) });
  return respond(answer);
}

/** Whether this viewer's copy is everybody's: no session begins, nothing in it changes, caches on the way may share it. */
function isForEveryone({ resource, url }: Asked, { grant, found }: Admission): boolean {
  return (
    resource.kind !== 'multivariant-playlist' &&
    !isHidden(found) &&
    viewerChange({ resource, grant, carriage: carryOn(found), url }) === undefined
  );
}

/** How the token goes on from this answer; a multivariant playlist that is there may start a session. */
async function carry(
  delivered: Delivered,
  viewer: { readonly admission: Admission; readonly asked: Asked; readonly sessions: ViewerSession },
): Promise<Result<Carriage, Denial | Misconfiguration>> {
  const { admission, asked } = viewer;
  const { found, own } = admission;
  const { resource, url, now } = asked;
  if (found === undefined || !isSessionStart(asked) || delivered.status !== 200) {
    return ok(carryOn(found));
  }
  const issued = await viewer.sessions.begin(admission, asked);
  return issued.ok
    ? ok(
        carryFromMultivariant({
          ...{ found, issued: issued.value, expires: own.expires },
          ...{ stream: resource.stream, url, now },
        }),
      )
    : issued;
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

async function rewriteForViewer(
  delivered: Delivered,
  viewer: {
    readonly resource: LiveResource;
    readonly admission: Admission;
    readonly carriage: Carriage;
    readonly url: Address;
  },
): Promise<Delivered> {
  const { resource, admission, carriage, url } = viewer;
  const headers = viewerHeaders(delivered.headers, admission.found);
  const change = viewerChange({ resource, grant: admission.grant, carriage, url });
  setSession(headers, carriage);
  if (delivered.status !== 200 || change === undefined) {
    return { ...delivered, headers };
  }
  // Not `text()`: the runtime warns of each body that is not text by its content type.
  const text = new TextDecoder().decode(await new Response(delivered.body).arrayBuffer());
  const rewritten = rewritePlaylist(text, change, new URL(url.href));
  if (rewritten === undefined) {
    return takeAnswer(denialAnswer(aboveLimits(change), resource.stream));
  }
  const playlist = new TextEncoder().encode(rewritten);
  headers['content-length'] = String(playlist.length);
  const { etag } = headers;
  if (etag !== undefined) {
    headers['etag'] = limitedTag(etag, change);
  }
  return { status: 200, headers, body: playlist };
}

/** The limits are not in the URL, so the tag has to tell the copies apart (RFC 9110 §8.8.3). */
function limitedTag(etag: string, { maxHeight, maxBitrate, timeShift }: ViewerChange): string {
  const limits = [
    maxHeight === undefined ? '' : `;${maxHeight}p`,
    maxBitrate === undefined ? '' : `;${maxBitrate}b`,
    timeShift === undefined ? '' : `;${timeShift.seconds}s`,
  ].join('');
  return etag.replace(/"$/, `${limits}"`);
}

/** An answer that hands out a token is this viewer's alone, and new each time. */
function setSession(headers: Record<string, string>, { cookie, location }: Carriage): void {
  if (cookie === undefined && location === undefined) {
    return;
  }
  headers['cache-control'] = 'private, no-store';
  delete headers['etag'];
  if (cookie !== undefined) {
    headers['set-cookie'] = cookie;
  }
  if (location !== undefined) {
    headers['content-location'] = location;
  }
}
