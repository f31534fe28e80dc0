/** Whether what a request shows has been revoked: three look-ups, however many revocations there are. */

import type { Denial } from '../../shared/access/denial.ts';
import type { Grant } from '../../shared/access/grant.ts';
import type { Revocation } from '../../shared/access/revocation.ts';

interface Bounds {
  readonly issuedUpTo: number;
  readonly until: number;
}

type RevocationIndex = Readonly<Record<Revocation['kind'], ReadonlyMap<string, Bounds>>>;

/** One index for each snapshot's list; it goes when the snapshot goes. */
const indexes = new WeakMap<readonly Revocation[], RevocationIndex>();

/** Tells what of a grant is revoked at `now` (Unix seconds); `revocations` are a snapshot's, the same array each time. */
export function findRevocation(
  grant: Pick<Grant, 'tokenId' | 'session' | 'viewer' | 'issuedAt'>,
  revocations: readonly Revocation[],
  now: number,
): Extract<Denial, { readonly reason: 'revoked' }> | undefined {
  if (revocations.length === 0) {
    return undefined;
  }
  const index = indexOf(revocations);
  const holds = (what: Revocation['kind'], id: string | undefined): boolean =>
    id !== undefined && isRevoked(index[what].get(id), grant.issuedAt, now);
  if (holds('token', grant.tokenId)) {
    return { reason: 'revoked', what: 'token' };
  }
  if (holds('session', grant.session)) {
    return { reason: 'revoked', what: 'session' };
  }
  return holds('viewer', grant.viewer) ? { reason: 'revoked', what: 'viewer' } : undefined;
}

/** A token that does not say when it was issued cannot show that it is newer than the revocation. */
function isRevoked(bounds: Bounds | undefined, issuedAt: number | undefined, now: number): boolean {
  return (
    bounds !== undefined && now < bounds.until && !(issuedAt !== undefined && issuedAt > bounds.issuedUpTo)
  );
}

function indexOf(revocations: readonly Revocation[]): RevocationIndex {
  const known = indexes.get(revocations);
  if (known !== undefined) {
    return known;
  }
  const index = {
    token: new Map<string, Bounds>(),
    session: new Map<string, Bounds>(),
    viewer: new Map<string, Bounds>(),
  };
  for (const { kind, id, issuedUpTo, until } of revocations) {
    // Of several for one id the widest counts: what the earlier one let go has expired by itself.
    const other = index[kind].get(id);
    index[kind].set(id, {
      issuedUpTo: Math.max(issuedUpTo, other?.issuedUpTo ?? 0),
      until: Math.max(until, other?.until ?? 0),
    });
  }
  indexes.set(revocations, index);
  return index;
}
