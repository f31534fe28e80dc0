/** Who may administer: the bearer of a token with the scope `admin` under the edge's own secret. */

import { fail, type Result } from '../../../shared/result.ts';
import { checkBearer } from '../../../shared/access/check-grant.ts';
import type { Denial } from '../../../shared/access/denial.ts';
import type { Grant } from '../../../shared/access/grant.ts';
import type { KeySource } from '../../../shared/access/key-source.ts';
import type { Place } from '../../../shared/access/place.ts';
import type { Misconfiguration } from '../../gateway/authorize.ts';
import { logEvent } from '../../log.ts';
import { TokenVerifier } from '../verify/token-verifier.ts';
import { MIN_SECRET_BYTES } from '../verify/verification-key.ts';

const BEARER = /^bearer +(\S+) *$/i;

/** Keys in the registry are for playback: whoever holds one could otherwise make itself an administrator. */
const NO_KEYS: readonly KeySource[] = [];

/** A verifier apart from playback's, which has other keys; with none to fetch, it never does. */
const verifier = new TokenVerifier({
  fetch: async () => Response.error(),
  store: { get: async () => undefined, put: async () => undefined },
  log: logEvent,
});

/**
 * Tells who asks. The token comes in `Authorization` alone: what browsers send by themselves, or what stays in logs
 * and histories, opens nothing here.
 */
export async function authorizeAdmin(
  request: Request,
  edge: { readonly secret: string | undefined; readonly place: Place; readonly now: number },
): Promise<Result<Grant, Denial | Misconfiguration>> {
  const { secret = '', place, now } = edge;
  if (new TextEncoder().encode(secret).length < MIN_SECRET_BYTES) {
    const detail = `set RILL_PLAY_SECRET to at least ${MIN_SECRET_BYTES} bytes: wrangler secret put RILL_PLAY_SECRET`;
    return fail({ reason: 'not-configured', detail });
  }
  const token = BEARER.exec(request.headers.get('authorization') ?? '')?.[1];
  if (token === undefined) {
    return fail({ reason: 'token-missing' });
  }
  const verified = await verifier.verify(token, {
    playSecret: secret,
    keys: NO_KEYS,
    now,
    background: () => undefined,
  });
  return verified.ok ? checkBearer({ grant: verified.value, place, now, scope: 'admin' }) : verified;
}
