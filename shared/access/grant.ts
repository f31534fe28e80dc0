/** What a bearer may do: the one type every kind of token becomes. Plain JSON, so that a session can carry it. */

import type { CatLimits } from './cat/cat-limits.ts';

/** What a token may be used for; a token without scopes of its own may `play`. */
export type Scope = 'play' | 'publish' | 'admin' | 'analytics';

/** A verified right. Times are Unix seconds; `undefined` means without that limit. */
export interface Grant {
  /** JWT `jti` or CAT `cti`, by which the token can be revoked. */
  readonly tokenId: string | undefined;
  readonly issuer: string | undefined;
  /** Who watches (JWT and CAT `sub`), opaque to Rill. */
  readonly viewer: string | undefined;
  readonly scopes: readonly Scope[];
  /** Stream names, or patterns in which `*` stands for any run of a name's characters; never empty. */
  readonly streams: readonly string[];
  readonly notBefore: number | undefined;
  /** When the token says that it was issued; revocations go by it. */
  readonly issuedAt?: number | undefined;
  readonly expires: number;
  readonly area: GrantArea;
  /** Largest picture height, in luma samples. */
  readonly maxHeight: number | undefined;
  /** Largest BANDWIDTH of a variant, bits per second (rfc8216bis §4.4.6.2). */
  readonly maxBitrate: number | undefined;
  /** Concurrent sessions of this viewer over all streams and locations; needs `viewer`. */
  readonly sessions: SessionLimit | undefined;
  /** How far behind the live edge may be watched, seconds; 0 is the live edge alone. */
  readonly timeShift: number | undefined;
  /** The playback session that this token is bound to: set in session tokens that the edge itself issued. */
  readonly session: string | undefined;
  /** When that session began, Unix milliseconds. */
  readonly sessionStarted?: number | undefined;
  /** What a Common Access Token asks of each request beyond the above; with it, clock differences are not forgiven. */
  readonly cat?: CatLimits | undefined;
}

/** From where a grant holds: every list that is given has to contain the request's value. */
export interface GrantArea {
  /** ISO 3166-1 alpha-2. */
  readonly countries: readonly string[] | undefined;
  /** ISO 3166-2, such as `DE-BY`. */
  readonly regions: readonly string[] | undefined;
  readonly asns: readonly number[] | undefined;
  /** CIDR prefixes, v4 or v6. */
  readonly prefixes: readonly string[] | undefined;
}

/** How many sessions a viewer may have at once, and which one loses beyond that. */
export interface SessionLimit {
  readonly limit: number;
  readonly loser: 'oldest' | 'newest';
}
