/** Issues playback tokens: JSON Web Tokens (RFC 7519), HS256. */

import { SignJWT, type JWTPayload } from 'jose';
import type { Seconds } from '#shared/media-time.ts';
import type { Scope, SessionLimit } from '#shared/access/grant.ts';

/** What a token shall allow. */
export interface PlayTokenRequest {
  /** Its name, or a pattern with `*`; not needed by `admin` and `analytics`. */
  readonly stream?: string | undefined;
  /** Time from now until it expires. */
  readonly ttl: Seconds;
  /** Unix seconds. */
  readonly now: number;
  readonly viewer?: string | undefined;
  /** ISO 3166-1 alpha-2 countries; everywhere when absent. */
  readonly countries?: readonly string[] | undefined;
  /** ISO 3166-2 regions. */
  readonly regions?: readonly string[] | undefined;
  readonly asns?: readonly number[] | undefined;
  /** CIDR prefixes. */
  readonly prefixes?: readonly string[] | undefined;
  /** Largest picture height that may be played. */
  readonly maxHeight?: number | undefined;
  /** Largest BANDWIDTH that may be played, bits per second. */
  readonly maxBitrate?: number | undefined;
  /** Concurrent sessions of the viewer, and which one loses beyond that. */
  readonly sessions?: SessionLimit | undefined;
  /** How far behind the live edge may be watched. */
  readonly timeShift?: Seconds | undefined;
  readonly scopes?: readonly Scope[] | undefined;
  /** By which the token can be revoked. */
  readonly tokenId?: string | undefined;
}

/** The claims of a request. */
export function playClaims(request: PlayTokenRequest): JWTPayload {
  const issued = Math.floor(request.now);
  const { sessions } = request;
  return {
    iat: issued,
    exp: issued + request.ttl,
    ...given({
      stream: request.stream,
      jti: request.tokenId,
      sub: request.viewer,
      scope: request.scopes?.join(' '),
      country: request.countries,
      region: request.regions,
      asn: request.asns,
      prefix: request.prefixes,
      maxHeight: request.maxHeight,
      maxBitrate: request.maxBitrate,
      sessions: sessions?.loser === 'oldest' ? sessions.limit : sessions,
      timeShift: request.timeShift,
    }),
  };
}

/** Leaves out what is not there. */
function given(claims: Readonly<Record<string, unknown>>): JWTPayload {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

/** Signs a token with the instance's play secret. */
export async function signPlayToken(request: PlayTokenRequest, playSecret: string): Promise<string> {
  return new SignJWT(playClaims(request))
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(playSecret));
}
