/** Which of a viewer's sessions may go on: a place is a lease, and leases that nobody renews run out. */

import type { SessionLimit } from '../../../shared/access/grant.ts';

/** Time for which a place is kept after the viewer's last heartbeat, milliseconds: three heartbeats. */
export const LEASE_MS = 30_000;
/** Time between two heartbeats of a session, milliseconds: what a viewer's other sessions wait to learn of it. */
export const HEARTBEAT_MS = 10_000;
/** Places of one viewer, whatever a token says: more would be no viewer. */
export const MAX_LEASES = 1_000;

/** A session that plays. */
export interface Lease {
  readonly session: string;
  readonly stream: string;
  /** ISO 3166-1 alpha-2 country from which it was last heard. */
  readonly country: string | undefined;
  /** Unix milliseconds, different for each of a viewer's sessions. */
  readonly started: number;
  /** When its place is free again unless it is heard before, Unix milliseconds. */
  readonly until: number;
}

/** What a heartbeat changes. */
export interface LeaseDecision {
  /** Whether the session that was heard has a place. */
  readonly held: boolean;
  /** All leases from now on, first those that lose last. */
  readonly leases: readonly Lease[];
}

/**
 * Decides a heartbeat at `now` (Unix milliseconds). Sessions rank by when they began, so the answer depends neither
 * on the order in which they are heard nor on what was forgotten: a session that lost does not win by asking again
 * while those that beat it play.
 */
export function decideLease(input: {
  readonly leases: readonly Lease[];
  readonly asked: Omit<Lease, 'until'>;
  readonly sessions: SessionLimit;
  readonly now: number;
}): LeaseDecision {
  const { leases, asked, sessions, now } = input;
  const others = leases.filter(({ session, until }) => session !== asked.session && until > now);
  const sign = sessions.loser === 'newest' ? 1 : -1;
  const ranked = [...others, { ...asked, until: now + LEASE_MS }].sort(
    (a, b) => sign * (a.started - b.started) || a.session.localeCompare(b.session),
  );
  const kept = ranked.slice(0, Math.min(sessions.limit, MAX_LEASES));
  return { held: kept.some(({ session }) => session === asked.session), leases: kept };
}
