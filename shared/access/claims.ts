/** Claims of Rill's JSON Web Tokens (RFC 7519) and their reading as a {@link Grant}. */

import { z } from 'zod';
import { parseStreamName, type StreamName } from '../identifiers.ts';
import { fail, ok, type Result } from '../result.ts';
import type { Denial } from './denial.ts';
import type { Grant } from './grant.ts';

/** Clock difference between issuer and edge that is forgiven, seconds. */
const CLOCK_SKEW_SECONDS = 5;
/** Longest token that is looked at, characters. */
export const MAX_TOKEN_LENGTH = 4096;

/** A playback token's payload; `exp` is required. */
const playClaimsSchema = z.object({
  /** The stream that may be played. */
  stream: z.string().max(64),
  exp: z.int(),
  nbf: z.int().optional(),
  iat: z.int().optional(),
  sub: z.string().max(256).optional(),
  jti: z.string().min(1).max(256).optional(),
  /** ISO 3166-1 alpha-2 countries. */
  country: z
    .array(z.string().regex(/^[A-Z]{2}$/))
    .min(1)
    .max(250)
    .optional(),
  maxHeight: z.int().min(1).max(16_384).optional(),
  /** Concurrent sessions of `sub`; a number alone means that the oldest loses. */
  sessions: z
    .union([
      z.int().min(1).max(1000),
      z.object({ limit: z.int().min(1).max(1000), loser: z.enum(['oldest', 'newest']) }),
    ])
    .optional(),
});
/** A playback token's payload. */
export type PlayClaims = z.infer<typeof playClaimsSchema>;

/** Reads verified claims as a grant. */
export function readGrant(claims: unknown): Result<Grant, Denial> {
  const parsed = playClaimsSchema.safeParse(claims);
  if (!parsed.success) {
    return fail({ reason: 'token-malformed', detail: z.prettifyError(parsed.error) });
  }
  const stream = parseStreamName(parsed.data.stream);
  if (!stream.ok) {
    return fail({ reason: 'token-malformed', detail: `stream: ${stream.failure.expected}` });
  }
  const { sessions } = parsed.data;
  return ok({
    tokenId: parsed.data.jti,
    issuedAt: parsed.data.iat,
    issuer: undefined,
    viewer: parsed.data.sub,
    scopes: ['play'],
    streams: [stream.value],
    notBefore: parsed.data.nbf,
    expires: parsed.data.exp,
    area: {
      countries: parsed.data.country,
      regions: undefined,
      asns: undefined,
      prefixes: undefined,
    },
    maxHeight: parsed.data.maxHeight,
    maxBitrate: undefined,
    sessions: typeof sessions === 'number' ? { limit: sessions, loser: 'oldest' } : sessions,
    timeShift: undefined,
    session: undefined,
  });
}

/** Tells whether a grant holds for a stream, at a time (Unix seconds), from a country. */
export function checkGrant(input: {
  readonly grant: Grant;
  readonly stream: StreamName;
  readonly country: string | undefined;
  readonly now: number;
}): Result<Grant, Denial> {
  const { grant, stream, country, now } = input;
  if (now >= grant.expires + CLOCK_SKEW_SECONDS) {
    return fail({ reason: 'token-expired', expired: grant.expires, now });
  }
  if (grant.notBefore !== undefined && now < grant.notBefore - CLOCK_SKEW_SECONDS) {
    return fail({ reason: 'token-not-yet-valid', notBefore: grant.notBefore, now });
  }
  if (!grant.streams.includes(stream)) {
    return fail({ reason: 'other-stream', asked: stream });
  }
  const { countries } = grant.area;
  if (countries !== undefined && (country === undefined || !countries.includes(country))) {
    return fail({ reason: 'location-blocked', rule: 'token', country });
  }
  return ok(grant);
}
