/** Who issued a token and for whom it is (RFC 7519 §4.1.1, §4.1.3; CTA-5007-B §4.6.1, §4.6.2). */

import type { Denial } from '../../../shared/access/denial.ts';
import type { VerificationKey } from './verification-key.ts';

/** Longest name that is repeated in a log line, characters. */
const MAX_NAMED = 64;

/**
 * Tells what is wrong with a verified token's issuer and audience, if anything. A token that names an audience is
 * refused under a key for which none is configured: the edge then cannot say that it is the one meant.
 */
export function checkParty(
  key: Pick<VerificationKey, 'issuer' | 'audience'>,
  claims: { readonly issuer: unknown; readonly audience: unknown },
): Denial | undefined {
  if (key.issuer !== undefined && claims.issuer !== key.issuer) {
    return { reason: 'wrong-issuer', detail: named(claims.issuer) };
  }
  const { audience } = claims;
  const names = Array.isArray(audience) ? (audience as readonly unknown[]) : [audience];
  if (audience === undefined && key.audience === undefined) {
    return undefined;
  }
  return key.audience !== undefined && names.includes(key.audience)
    ? undefined
    : { reason: 'wrong-audience', detail: named(audience) };
}

function named(claim: unknown): string {
  return claim === undefined ? 'none' : (JSON.stringify(claim)?.slice(0, MAX_NAMED) ?? 'none');
}
