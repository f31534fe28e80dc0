/** Revocations as administrators ask for them. */

import { z } from 'zod';
import { instantSchema } from './policy-schema.ts';
import type { Revocation } from './revocation.ts';

const MAX_ID = 256;
const SECONDS_PER_DAY = 86_400;
/** How long a revocation is kept unless said otherwise, seconds: longer than tokens should live. */
const DEFAULT_SECONDS = 30 * SECONDS_PER_DAY;
/** Longest that one may be kept, seconds: each costs memory at every edge. */
const MAX_SECONDS = 400 * SECONDS_PER_DAY;

/** What can be revoked. */
export const revocationKindSchema: z.ZodEnum<{ token: 'token'; session: 'session'; viewer: 'viewer' }> =
  z.enum(['token', 'session', 'viewer']);

/** A revocation as asked for. */
export interface RevocationRequest {
  readonly kind: Revocation['kind'];
  readonly id: string;
  readonly issuedUpTo?: number | undefined;
  readonly until?: number | undefined;
}

/** A revocation as asked for: `{ kind, id }` is enough. */
export const revocationRequestSchema: z.ZodType<RevocationRequest> = z.strictObject({
  kind: revocationKindSchema,
  id: z.string().min(1).max(MAX_ID),
  issuedUpTo: instantSchema.optional(),
  until: instantSchema.optional(),
});

/**
 * The revocation of a request at `now` (Unix seconds); it is kept at most 400 days. A viewer may come back with a
 * newer token; a token or a session is over, however its bearer dates it.
 */
export function revocationAt({ kind, id, issuedUpTo, until }: RevocationRequest, now: number): Revocation {
  const end = Math.min(until ?? now + DEFAULT_SECONDS, now + MAX_SECONDS);
  return { kind, id, issuedUpTo: issuedUpTo ?? (kind === 'viewer' ? now : end), until: end };
}
