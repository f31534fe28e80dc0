/** What is no longer honoured before its time is over. */

/** A revocation; it is forgotten once `until` (Unix seconds) has passed, when what it names has expired by itself. */
export interface Revocation {
  readonly kind: 'token' | 'session' | 'viewer';
  /** Token id, session id or viewer. */
  readonly id: string;
  /** What was issued up to this time (Unix seconds) is revoked: a viewer may come back with a newer token. */
  readonly issuedUpTo: number;
  readonly until: number;
}
