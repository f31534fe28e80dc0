/** Issues playback tokens: JSON Web Tokens (RFC 7519), HS256. */

import { SignJWT, type JWTPayload } from 'jose';
import type { StreamName } from '#shared/identifiers.ts';
import type { Seconds } from '#shared/media-time.ts';
import type { PlayClaims } from '#shared/access/claims.ts';

/** What a token shall allow. */
export interface PlayTokenRequest {
  readonly stream: StreamName;
  /** Time from now until it expires. */
  readonly ttl: Seconds;
  /** Unix seconds. */
  readonly now: number;
  readonly viewer?: string | undefined;
  /** ISO 3166-1 alpha-2 countries; everywhere when absent. */
  readonly countries?: readonly string[] | undefined;
  /** Largest picture height that may be played. */
  readonly maxHeight?: number | undefined;
}

/** The claims of a request. */
export function playClaims(request: PlayTokenRequest): PlayClaims & JWTPayload {
  const issued = Math.floor(request.now);
  return {
    stream: request.stream,
    iat: issued,
    exp: issued + request.ttl,
    ...(request.viewer === undefined ? {} : { sub: request.viewer }),
    ...(request.countries === undefined ? {} : { country: [...request.countries] }),
    ...(request.maxHeight === undefined ? {} : { maxHeight: request.maxHeight }),
  };
}

/** Signs a token with the instance's play secret. */
export async function signPlayToken(request: PlayTokenRequest, playSecret: string): Promise<string> {
  return new SignJWT(playClaims(request))
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(playSecret));
}
