/** Who may administer: the bearer of a token with the scope `admin` under the edge's own secret. */

import { fail, type Result } from '../../../shared/result.ts';
import { checkBearer } from '../../../shared/access/check-grant.ts';
import type { Denial } from '../../../shared/access/denial.ts';
import type { Grant } from '../../../shared/access/grant.ts';
import type { Place } from '../../../shared/access/place.ts';
import { NO_SECRET, type Misconfiguration } from '../../gateway/authorize.ts';
import { isLongEnough } from '../../gateway/session-settings.ts';
import { verifyOwnToken } from '../verify/own-tokens.ts';

const BEARER = /^bearer +(\S+) *$/i;

/**
 * Tells who asks. The token comes in `Authorization` alone: what browsers send by themselves, or what stays in logs
 * and histories, opens nothing here.
 */
export async function authorizeAdmin(
  request: Request,
  edge: { readonly secret: string | undefined; readonly place: Place; readonly now: number },
): Promise<Result<Grant, Denial | Misconfiguration>> {
  const { secret, place, now } = edge;
  if (!isLongEnough(secret)) {
    return fail(NO_SECRET);
  }
  const token = BEARER.exec(request.headers.get('authorization') ?? '')?.[1];
  if (token === undefined) {
    return fail({ reason: 'token-missing' });
  }
  const verified = await verifyOwnToken(token, { playSecret: secret, now });
  return verified.ok ? checkBearer({ grant: verified.value, place, now, scope: 'admin' }) : verified;
}
