/** Issues analytics tokens: who may ask how playback went. */

import { SignJWT } from 'jose';
import type { Seconds } from '#shared/media-time.ts';

/** What a token shall allow. */
export interface AnalyticsTokenRequest {
  /** `play`: the dashboard's live pictures besides. */
  readonly scopes: readonly ('analytics' | 'play')[];
  /** Time from now until it expires. */
  readonly ttl: Seconds;
  /** Unix seconds. */
  readonly now: number;
}

/** Signs a token with the instance's play secret. */
export async function signAnalyticsToken(
  { scopes, ttl, now }: AnalyticsTokenRequest,
  playSecret: string,
): Promise<string> {
  const issued = Math.floor(now);
  return new SignJWT({ stream: '*', scope: scopes.join(' '), iat: issued, exp: issued + ttl })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(playSecret));
}
