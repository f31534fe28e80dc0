/** Who may ask for analytics: a token of the instance with the scope, for one stream or for all. */

import { compactVerify } from 'jose';
import { z } from 'zod';
import { parseStreamName, type StreamName } from '../../shared/identifiers.ts';
import { fail, ok, type Result } from '../../shared/result.ts';
import { MAX_TOKEN_LENGTH } from '../../shared/tokens/claims.ts';
import type { Env } from '../env.ts';
import { findToken } from '../gateway/find-token.ts';
import { MIN_SECRET_BYTES } from '../gateway/token-verifier.ts';

/** What a token must say of itself: `analytics` to ask how playback went, `watch` to see the pictures besides. */
export type Scope = 'analytics' | 'watch';

/** A verified right to ask. */
export interface ScopeGrant {
  /** The one stream that may be asked about; `undefined`: every one. */
  readonly stream: StreamName | undefined;
}

/** Why a request may not ask. */
export type ScopeFailure = {
  readonly reason: 'not-configured' | 'token-missing' | 'token-invalid' | 'scope-missing';
};

const claimsSchema = z.object({
  exp: z.int(),
  nbf: z.int().optional(),
  scope: z.union([z.string().max(256), z.array(z.string().max(64)).max(16)]).optional(),
  stream: z.string().max(64).optional(),
});

/** Judges the token that a request carries, wherever it travels; `now` is Unix seconds. */
export async function requireScope(
  request: Request,
  env: Env,
  scope: Scope,
  now: number,
): Promise<Result<ScopeGrant, ScopeFailure>> {
  const secret = new TextEncoder().encode(env.RILL_PLAY_SECRET ?? '');
  if (secret.length < MIN_SECRET_BYTES) {
    return fail({ reason: 'not-configured' });
  }
  const found = findToken(request, new URL(request.url));
  if (found === undefined) {
    return fail({ reason: 'token-missing' });
  }
  const claims = await readClaims(found.token, secret);
  if (claims === undefined || now >= claims.exp || (claims.nbf !== undefined && now < claims.nbf)) {
    return fail({ reason: 'token-invalid' });
  }
  const scopes = typeof claims.scope === 'string' ? claims.scope.split(' ') : (claims.scope ?? []);
  if (!scopes.includes(scope)) {
    return fail({ reason: 'scope-missing' });
  }
  const stream = claims.stream === undefined ? ok(undefined) : parseStreamName(claims.stream);
  return stream.ok ? ok({ stream: stream.value }) : fail({ reason: 'token-invalid' });
}

async function readClaims(
  token: string,
  secret: Uint8Array,
): Promise<z.infer<typeof claimsSchema> | undefined> {
  if (token.length > MAX_TOKEN_LENGTH) {
    return undefined;
  }
  try {
    const { payload } = await compactVerify(token, secret, { algorithms: ['HS256'] });
    return claimsSchema.safeParse(JSON.parse(new TextDecoder().decode(payload))).data;
  } catch {
    return undefined;
  }
}
