/** Who may ask for analytics, and see pictures besides: a token under the edge's own secret with the scope, for one stream or for all. */

import { checkBearer } from '../../shared/access/check-grant.ts';
import { parseStreamName, type StreamName } from '../../shared/identifiers.ts';
import { fail, ok, type Result } from '../../shared/result.ts';
import { verifyOwnToken } from '../access/verify/own-tokens.ts';
import type { Env } from '../env.ts';
import { findToken } from '../gateway/find-token.ts';
import { placeOf } from '../gateway/place.ts';
import { isLongEnough } from '../gateway/session-settings.ts';

/** A verified right to ask. */
export interface ScopeGrant {
  /** The one stream that may be asked about; `undefined`: every one. */
  readonly stream: StreamName | undefined;
}

/** Why a request may not ask. */
export type ScopeFailure = {
  readonly reason: 'not-configured' | 'token-missing' | 'token-invalid' | 'scope-missing';
};

/** Judges the token that a request carries, wherever it travels; `now` is Unix seconds. */
export async function requireScope(
  request: Request,
  env: Env,
  scope: 'analytics' | 'play',
  now: number,
): Promise<Result<ScopeGrant, ScopeFailure>> {
  const secret = env.RILL_PLAY_SECRET;
  if (!isLongEnough(secret)) {
    return fail({ reason: 'not-configured' });
  }
  const found = findToken(request, new URL(request.url));
  if (found === undefined) {
    return fail({ reason: 'token-missing' });
  }
  const verified = await verifyOwnToken(found.token, { playSecret: secret, now });
  if (!verified.ok) {
    return fail({ reason: 'token-invalid' });
  }
  const grant = checkBearer({ grant: verified.value, place: placeOf(request, env), now, scope });
  if (!grant.ok) {
    return fail({ reason: grant.failure.reason === 'scope-missing' ? 'scope-missing' : 'token-invalid' });
  }
  return streamOf(grant.value.streams);
}

/** Reports are about one stream or about all: a list or a pattern of some fits neither. */
function streamOf(streams: readonly string[]): Result<ScopeGrant, ScopeFailure> {
  const [only = '*', ...more] = streams;
  if (only === '*') {
    return ok({ stream: undefined });
  }
  const stream = parseStreamName(only);
  return more.length === 0 && stream.ok ? ok({ stream: stream.value }) : fail({ reason: 'token-invalid' });
}
