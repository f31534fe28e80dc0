/** Whether a verified grant holds for a request: time, scope, stream, place. */

import { fail, ok, type Result } from '../result.ts';
import type { StreamName } from '../identifiers.ts';
import { hasAddress } from './address-list.ts';
import { checkCatLimits } from './cat/cat-limits.ts';
import { actionFor } from './cat/cat-if.ts';
import type { Denial } from './denial.ts';
import type { Grant, Scope } from './grant.ts';
import type { Place } from './place.ts';
import type { RequestFacts } from './request-facts.ts';
import { fitsStreamPattern } from './stream-pattern.ts';

/** Clock difference between a JWT's issuer and the edge that is forgiven, seconds (RFC 7519 §4.1.4). */
const CLOCK_SKEW_SECONDS = 5;

/** What a grant is held against. */
export interface GrantUse {
  readonly grant: Grant;
  readonly stream: StreamName;
  readonly place: Place;
  /** Unix seconds. */
  readonly now: number;
  /** `play` unless told. */
  readonly scope?: Scope;
  /** Needed where the grant came from a Common Access Token: without it such a grant is denied. */
  readonly request?: RequestFacts;
  /** The token was given up for a session by this request, or before: a token for one use is denied otherwise. */
  readonly claimed?: boolean;
}

/** What a grant is held against where no stream is meant. */
export type BearerUse = Pick<GrantUse, 'grant' | 'place' | 'now' | 'scope'>;

/** Tells whether a grant holds for what is no stream's, such as administration: time, scope and place. */
export function checkBearer(use: BearerUse): Result<Grant, Denial> {
  const denial = checkTime(use) ?? checkScope(use) ?? checkArea(use);
  return denial === undefined ? ok(use.grant) : fail(denial);
}

/** Tells whether a grant holds for this use of it. */
export function checkGrant(use: GrantUse): Result<Grant, Denial> {
  const denial =
    checkTime(use) ??
    checkScope(use) ??
    checkStream(use) ??
    checkArea(use) ??
    checkCatLimits(use.grant.cat, use);
  if (denial === undefined) {
    return ok(use.grant);
  }
  const action = actionFor(use.grant.cat, denial);
  return fail(action === undefined ? denial : { ...denial, action });
}

function checkTime({ grant, now }: BearerUse): Denial | undefined {
  // CTA-5007-B §4.6.3, §4.6.4: no leeway.
  const skew = grant.cat === undefined ? CLOCK_SKEW_SECONDS : 0;
  if (now >= grant.expires + skew) {
    return { reason: 'token-expired', expired: grant.expires, now };
  }
  if (grant.notBefore !== undefined && now < grant.notBefore - skew) {
    return { reason: 'token-not-yet-valid', notBefore: grant.notBefore, now };
  }
  return undefined;
}

function checkScope({ grant, scope = 'play' }: BearerUse): Denial | undefined {
  return grant.scopes.includes(scope) ? undefined : { reason: 'scope-missing', needed: scope };
}

function checkStream({ grant, stream }: GrantUse): Denial | undefined {
  return grant.streams.some((pattern) => fitsStreamPattern(pattern, stream))
    ? undefined
    : { reason: 'other-stream', asked: stream };
}

function checkArea({ grant: { area }, place }: BearerUse): Denial | undefined {
  const holds =
    isIn(area.countries, place.country) &&
    isIn(area.regions, place.region) &&
    isIn(area.asns, place.asn) &&
    (area.prefixes === undefined || hasAddress(area.prefixes, place.address));
  return holds ? undefined : { reason: 'location-blocked', rule: 'token', country: place.country };
}

function isIn<T>(list: readonly T[] | undefined, value: T | undefined): boolean {
  return list === undefined || (value !== undefined && list.includes(value));
}
