/** When a token starts a session, when a session's token is renewed, and when a session is over. */

import type { Grant } from '../../../shared/access/grant.ts';

/** How long sessions last, seconds. */
export interface SessionLife {
  /** How long a session token is good for; 0: sessions end with the token that started them. */
  readonly token: number;
  /** How long after its start a session is over, however often its token was renewed. */
  readonly longest: number;
}

/** What a request for the multivariant playlist does to the session of a grant. */
export type SessionStep =
  /** The token that was shown goes on being shown. */
  | { readonly kind: 'none' }
  | { readonly kind: 'start'; readonly expires: number }
  | { readonly kind: 'renew'; readonly expires: number };

/**
 * Decides at `now` (Unix seconds). A token starts a session where it would end before a session token would, or where
 * sessions are counted. A session's token is renewed once half of its life is over.
 */
export function decideSession(grant: Grant, life: SessionLife, now: number): SessionStep {
  if (grant.session === undefined) {
    const outlived = grant.expires < now + life.token;
    const expires = Math.min(Math.max(grant.expires, now + life.token), now + life.longest);
    const isNeeded = grant.sessions !== undefined || grant.cat?.singleUse === true;
    return outlived || isNeeded ? { kind: 'start', expires } : { kind: 'none' };
  }
  const end = Math.floor((grant.sessionStarted ?? 0) / 1000) + life.longest;
  const expires = Math.min(now + life.token, end);
  const isDue = grant.expires - now < life.token / 2 && expires > grant.expires;
  return isDue ? { kind: 'renew', expires } : { kind: 'none' };
}
