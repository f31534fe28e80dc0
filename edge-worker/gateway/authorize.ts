/** Who may watch: from a request to a grant for the stream it asks for, or a denial. */

import type { StreamName } from '../../shared/identifiers.ts';
import { fail, type Result } from '../../shared/result.ts';
import { checkGrant } from '../../shared/access/check-grant.ts';
import type { Denial } from '../../shared/access/denial.ts';
import type { Grant } from '../../shared/access/grant.ts';
import type { KeySource } from '../../shared/access/key-source.ts';
import type { Place } from '../../shared/access/place.ts';
import type { RequestFacts } from '../../shared/access/request-facts.ts';
import { MIN_SECRET_BYTES } from '../access/verify/verification-key.ts';
import { verifyToken } from '../access/verify/verify-token.ts';
import type { FoundToken } from './find-token.ts';

/** The edge cannot judge tokens; the detail names the setting and how to set it. */
export type Misconfiguration = { readonly reason: 'not-configured'; readonly detail: string };

/** Tells whether a token (as found, if any) lets its bearer play `stream` at `now` (Unix seconds). */
export async function authorize(input: {
  readonly found: FoundToken | undefined;
  readonly stream: StreamName;
  readonly place: Place;
  readonly request: RequestFacts;
  readonly secret: string | undefined;
  /** A snapshot's keys. */
  readonly keys: readonly KeySource[];
  readonly now: number;
  readonly background: (work: Promise<unknown>) => void;
}): Promise<Result<Grant, Denial | Misconfiguration>> {
  const { found, secret, keys, now, background } = input;
  if (secret === undefined || new TextEncoder().encode(secret).length < MIN_SECRET_BYTES) {
    const detail = `set RILL_PLAY_SECRET to at least ${MIN_SECRET_BYTES} bytes: wrangler secret put RILL_PLAY_SECRET`;
    return fail({ reason: 'not-configured', detail });
  }
  if (found === undefined) {
    return fail({ reason: 'token-missing' });
  }
  const grant = await verifyToken(found.token, { playSecret: secret, keys, now, background });
  return grant.ok ? checkGrant({ ...input, grant: grant.value }) : grant;
}
