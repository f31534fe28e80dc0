/** Who may administer: the bearer of a token with the scope `admin` under the edge's own secret. */

import { errors, jwtVerify, type JWTPayload } from 'jose';
import { fail, ok, type Result } from '../../../shared/result.ts';
import { MAX_TOKEN_LENGTH } from '../../../shared/access/claims.ts';
import type { Denial } from '../../../shared/access/denial.ts';
import type { Misconfiguration } from '../../gateway/authorize.ts';
import { MIN_SECRET_BYTES } from '../../gateway/token-verifier.ts';
import type { Bearer } from '../registry/access-registry.ts';

/** Clock difference between issuer and edge that is forgiven, seconds. */
const CLOCK_SKEW_SECONDS = 5;
const BEARER = /^bearer +(\S+) *$/i;

/**
 * Tells who asks. The token comes in `Authorization` alone: what browsers send by themselves, or what stays in logs
 * and histories, opens nothing here. Keys in the registry are for playback: whoever holds one of them could
 * otherwise make itself an administrator.
 */
export async function authorizeAdmin(
  request: Request,
  edge: { readonly secret: string | undefined; readonly now: number },
): Promise<Result<Bearer, Denial | Misconfiguration>> {
  const secret = new TextEncoder().encode(edge.secret ?? '');
  if (secret.length < MIN_SECRET_BYTES) {
    const detail = `set RILL_PLAY_SECRET to at least ${MIN_SECRET_BYTES} bytes: wrangler secret put RILL_PLAY_SECRET`;
    return fail({ reason: 'not-configured', detail });
  }
  const token = BEARER.exec(request.headers.get('authorization') ?? '')?.[1];
  if (token === undefined) {
    return fail({ reason: 'token-missing' });
  }
  if (token.length > MAX_TOKEN_LENGTH) {
    return fail({ reason: 'token-malformed', detail: `longer than ${MAX_TOKEN_LENGTH} characters` });
  }
  const claims = await verify(token, secret, edge.now);
  if (!claims.ok) {
    return claims;
  }
  const { scope, jti, sub, iat } = claims.value;
  if (typeof scope !== 'string' || !scope.split(' ').includes('admin')) {
    return fail({ reason: 'scope-missing', needed: 'admin' });
  }
  return ok({ tokenId: jti, viewer: sub, session: undefined, issuedAt: iat });
}

async function verify(token: string, secret: Uint8Array, now: number): Promise<Result<JWTPayload, Denial>> {
  try {
    const { payload } = await jwtVerify(token, secret, {
      algorithms: ['HS256'],
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: new Date(now * 1000),
    });
    return ok(payload);
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      return fail({ reason: 'token-expired', expired: error.payload.exp ?? 0, now });
    }
    if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JOSEAlgNotAllowed) {
      return fail({ reason: 'token-forged', detail: error.code });
    }
    if (error instanceof errors.JOSEError) {
      return fail({ reason: 'token-malformed', detail: error.code });
    }
    throw error;
  }
}
