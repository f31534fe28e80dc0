/** Who may watch: from a request to a grant for the stream it asks for, or a denial. */

import type { StreamName } from '../../shared/identifiers.ts';
import { fail, type Result } from '../../shared/result.ts';
import { checkGrant } from '../../shared/access/claims.ts';
import type { Denial } from '../../shared/access/denial.ts';
import type { Grant } from '../../shared/access/grant.ts';
import { MIN_SECRET_BYTES, TokenVerifier } from './token-verifier.ts';
import type { FoundToken } from './find-token.ts';

/** The edge cannot judge tokens; the detail names the setting and how to set it. */
export type Misconfiguration = { readonly reason: 'not-configured'; readonly detail: string };

/** One verifier per isolate: its imported key and verified tokens outlive a request. */
let current: { readonly secret: string; readonly verifier: TokenVerifier } | undefined;

/** Tells whether a token (as found, if any) lets its bearer play `stream` at `now` (Unix seconds). */
export async function authorize(input: {
  readonly found: FoundToken | undefined;
  readonly stream: StreamName;
  readonly country: string | undefined;
  readonly secret: string | undefined;
  readonly now: number;
}): Promise<Result<Grant, Denial | Misconfiguration>> {
  const { found, stream, country, secret, now } = input;
  if (secret === undefined || new TextEncoder().encode(secret).length < MIN_SECRET_BYTES) {
    const detail = `set RILL_PLAY_SECRET to at least ${MIN_SECRET_BYTES} bytes: wrangler secret put RILL_PLAY_SECRET`;
    return fail({ reason: 'not-configured', detail });
  }
  if (found === undefined) {
    return fail({ reason: 'token-missing' });
  }
  const grant = await verifierFor(secret).verify(found.token, now);
  return grant.ok ? checkGrant({ grant: grant.value, stream, country, now }) : grant;
}

function verifierFor(secret: string): TokenVerifier {
  if (current?.secret !== secret) {
    current = { secret, verifier: new TokenVerifier(secret) };
  }
  return current.verifier;
}
