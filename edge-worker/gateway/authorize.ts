/** Who may watch: from a request to what its viewer may do, or why it is denied. */

import type { AccessSnapshot } from '../../shared/access/access-snapshot.ts';
import { checkGrant } from '../../shared/access/check-grant.ts';
import { decidePolicy, streamPolicy } from '../../shared/access/decide-policy.ts';
import type { Denial } from '../../shared/access/denial.ts';
import type { Grant } from '../../shared/access/grant.ts';
import type { Place } from '../../shared/access/place.ts';
import type { StreamPolicy } from '../../shared/access/policy.ts';
import type { StreamName } from '../../shared/identifiers.ts';
import { fail, ok, type Result } from '../../shared/result.ts';
import { findRevocation } from '../access/revocation-check.ts';
import { isSessionToken } from '../access/sessions/session-tokens.ts';
import { MIN_SECRET_BYTES } from '../access/verify/verification-key.ts';
import { verifyToken } from '../access/verify/verify-token.ts';
import type { Env } from '../env.ts';
import type { LiveResource } from '../resource.ts';
import type { Address } from './address.ts';
import { findToken, type FoundToken } from './find-token.ts';
import { requestFacts } from './request-facts.ts';
import { isLongEnough } from './session-settings.ts';
import type { ViewerSession } from './viewer-session.ts';

/** The edge cannot judge tokens; the detail names the setting and how to set it. */
export type Misconfiguration = { readonly reason: 'not-configured'; readonly detail: string };

/** What is asked, and by whom. */
export interface Asked {
  readonly request: Request;
  readonly url: Address;
  readonly resource: LiveResource;
  readonly place: Place;
  readonly env: Env;
  readonly snapshot: AccessSnapshot;
  /** Unix seconds. */
  readonly now: number;
  /** Keeps work alive that goes on after the answer. */
  readonly background: (work: Promise<unknown>) => void;
}

/** A request that may be answered. */
export interface Admission {
  /** What its viewer may do here and now, the limits of the stream's policy included. */
  readonly grant: Grant;
  /** What the token says, which is what a session goes on with. */
  readonly own: Grant;
  /** The token that says so; `undefined` where the stream is public. */
  readonly found: FoundToken | undefined;
}

/** Neither the edge's own secret nor a registered key can verify a token. */
export const NO_SECRET: Misconfiguration = {
  reason: 'not-configured',
  detail: `set RILL_PLAY_SECRET to at least ${MIN_SECRET_BYTES} bytes: wrangler secret put RILL_PLAY_SECRET`,
};

/** Judges a request: its token, what of it is revoked, whether it holds here and now, the session it belongs to. */
export async function authorize(
  asked: Asked,
  sessions: ViewerSession,
): Promise<Result<Admission, Denial | Misconfiguration>> {
  const { resource, snapshot, place, now } = asked;
  const policy = streamPolicy(snapshot.policies, resource.stream);
  if (policy.access === 'public') {
    const own = publicGrant(resource.stream);
    const grant = withinPolicy(own, policy, asked);
    return grant.ok ? ok({ grant: grant.value, own, found: undefined }) : grant;
  }
  const found = findToken(asked.request, asked.url);
  if (found === undefined) {
    return fail({ reason: 'token-missing' });
  }
  const verified = await verify(found.token, asked, sessions);
  if (!verified.ok) {
    return verified;
  }
  const own = verified.value;
  const revoked = findRevocation(own, snapshot.revocations, now);
  if (revoked !== undefined) {
    return fail(revoked);
  }
  const checked = checkGrant({
    ...{ grant: own, stream: resource.stream, place, now },
    // Only Common Access Tokens ask about the request, and telling its facts costs more than all the rest.
    ...(own.cat === undefined ? {} : { request: requestFacts(asked.request, asked.url) }),
    claimed: own.session !== undefined || isSessionStart(asked),
  });
  if (!checked.ok) {
    return checked;
  }
  const grant = withinPolicy(own, policy, asked);
  if (!grant.ok) {
    return grant;
  }
  const denial = await sessions.check(own, asked);
  return denial === undefined ? ok({ grant: grant.value, own, found }) : fail(denial);
}

/** What of a grant the stream's policy leaves. */
function withinPolicy(grant: Grant, policy: StreamPolicy, { place, now }: Asked): Result<Grant, Denial> {
  const decision = decidePolicy(policy, place, now);
  if (decision.kind === 'deny') {
    return fail({ reason: 'location-blocked', rule: decision.rule, country: place.country });
  }
  const limit = decision.maxHeight;
  return ok(
    limit === undefined || (grant.maxHeight ?? Infinity) <= limit ? grant : { ...grant, maxHeight: limit },
  );
}

/** Sessions begin with the multivariant playlist, which is also where a token for one use is given up. */
export function isSessionStart({ request, resource }: Pick<Asked, 'request' | 'resource'>): boolean {
  return request.method === 'GET' && resource.kind === 'multivariant-playlist';
}

async function verify(
  token: string,
  { env, snapshot, now, background }: Asked,
  sessions: ViewerSession,
): Promise<Result<Grant, Denial | Misconfiguration>> {
  if (isSessionToken(token)) {
    return sessions.verify(token, env);
  }
  const playSecret = isLongEnough(env.RILL_PLAY_SECRET) ? env.RILL_PLAY_SECRET : undefined;
  return playSecret === undefined && snapshot.keys.length === 0
    ? fail(NO_SECRET)
    : verifyToken(token, { playSecret, keys: snapshot.keys, now, background });
}

/** What everybody may do with a public stream, before its rules. */
function publicGrant(stream: StreamName): Grant {
  return {
    tokenId: undefined,
    issuer: undefined,
    viewer: undefined,
    scopes: ['play'],
    streams: [stream],
    notBefore: undefined,
    expires: Number.POSITIVE_INFINITY,
    area: { countries: undefined, regions: undefined, asns: undefined, prefixes: undefined },
    maxHeight: undefined,
    maxBitrate: undefined,
    sessions: undefined,
    timeShift: undefined,
    session: undefined,
  };
}
