/** Claims of Rill's JSON Web Tokens (RFC 7519) and their reading as a {@link Grant}. */

import { z } from 'zod';
import { fail, ok, type Result } from '../result.ts';
import type { Denial } from './denial.ts';
import type { Grant, Scope, SessionLimit } from './grant.ts';
import { parseIpPrefix } from './ip-prefix.ts';
import { isStreamPattern } from './stream-pattern.ts';

/** Longest token that is looked at, characters. */
export const MAX_TOKEN_LENGTH = 4096;
/** Longest opaque name (viewer, token id, issuer), characters. */
const MAX_NAME = 256;
/** Stream names or patterns in one token. */
const MAX_STREAMS = 100;
/** Entries of each list that says from where a token holds. */
const MAX_PLACES = 250;
/** Largest concurrent session limit: beyond it, it limits nobody. */
const MAX_SESSIONS = 1000;
/** Last second of the year 9999: times beyond it are mistakes, milliseconds for example. */
const LAST_SECOND = 253_402_300_799;
const LARGEST_ASN = 0xffff_ffff;

const SCOPES: readonly Scope[] = ['play', 'publish', 'admin', 'analytics'];

const streamSchema = z.string().refine(isStreamPattern, 'is no stream name or pattern');
/** NumericDate, RFC 7519 §2: seconds, with or without a fraction. */
const timeSchema = z.number().min(0).max(LAST_SECOND);
const nameSchema = z.string().min(1).max(MAX_NAME);

function list<T extends z.ZodType>(entry: T): z.ZodArray<T> {
  return z.array(entry).min(1).max(MAX_PLACES);
}

/** A token's payload; `exp` is required, and so is a stream where the token may play or publish. */
const claimsSchema = z.object({
  /** The stream that it is for, exact or a pattern. */
  stream: streamSchema.optional(),
  streams: z.array(streamSchema).min(1).max(MAX_STREAMS).optional(),
  exp: timeSchema,
  nbf: timeSchema.optional(),
  iat: timeSchema.optional(),
  iss: z.string().max(MAX_NAME).optional(),
  sub: nameSchema.optional(),
  jti: nameSchema.optional(),
  /** Scopes separated by spaces (RFC 8693 §4.2) or as a list; those that Rill does not know are left out. */
  scope: z.union([z.string().max(MAX_NAME), z.array(z.string()).max(20)]).optional(),
  /** ISO 3166-1 alpha-2 countries. */
  country: list(z.string().regex(/^[A-Z]{2}$/)).optional(),
  /** ISO 3166-2 regions. */
  region: list(z.string().regex(/^[A-Z]{2}-[A-Z0-9]{1,3}$/)).optional(),
  asn: list(z.int().min(0).max(LARGEST_ASN)).optional(),
  /** CIDR prefixes. */
  prefix: list(z.string().refine((text) => parseIpPrefix(text) !== undefined, 'is no prefix')).optional(),
  maxHeight: z.int().min(1).max(16_384).optional(),
  /** Bits per second. */
  maxBitrate: z.int().min(1).optional(),
  /** Concurrent sessions of `sub`; a number alone means that the oldest loses. */
  sessions: z
    .union([
      z.int().min(1).max(MAX_SESSIONS),
      z.object({ limit: z.int().min(1).max(MAX_SESSIONS), loser: z.enum(['oldest', 'newest']) }),
    ])
    .optional(),
  /** Seconds behind the live edge. */
  timeShift: z.number().min(0).optional(),
});
type Claims = z.infer<typeof claimsSchema>;

/** Reads verified claims as a grant. Claims that Rill does not know are ignored (RFC 7519 §4). */
export function readGrant(payload: unknown): Result<Grant, Denial> {
  const parsed = claimsSchema.safeParse(payload);
  if (!parsed.success) {
    return malformed(
      parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    );
  }
  const claims = parsed.data;
  const scopes = readScopes(claims.scope);
  const streams = [...(claims.stream === undefined ? [] : [claims.stream]), ...(claims.streams ?? [])];
  if (streams.length === 0) {
    if (scopes.includes('play') || scopes.includes('publish')) {
      return malformed('stream: one is needed to play or publish');
    }
    streams.push('*');
  }
  if (claims.sessions !== undefined && claims.sub === undefined) {
    return malformed('sessions: their viewer, sub, is needed');
  }
  return ok(grantOf(claims, scopes, streams));
}

function grantOf(claims: Claims, scopes: readonly Scope[], streams: readonly string[]): Grant {
  return {
    tokenId: claims.jti,
    issuer: claims.iss,
    viewer: claims.sub,
    scopes,
    streams,
    // What was issued later than now is not valid yet, whether or not it says so.
    notBefore: latest(claims.nbf, claims.iat),
    issuedAt: claims.iat,
    expires: claims.exp,
    area: {
      countries: claims.country,
      regions: claims.region,
      asns: claims.asn,
      prefixes: claims.prefix,
    },
    maxHeight: claims.maxHeight,
    maxBitrate: claims.maxBitrate,
    sessions: readSessions(claims.sessions),
    timeShift: claims.timeShift,
    session: undefined,
  };
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

function readScopes(claim: Claims['scope']): readonly Scope[] {
  if (claim === undefined) {
    return ['play'];
  }
  const named = typeof claim === 'string' ? claim.split(' ') : claim;
  return SCOPES.filter((scope) => named.includes(scope));
}

function readSessions(claim: Claims['sessions']): SessionLimit | undefined {
  return typeof claim === 'number' ? { limit: claim, loser: 'oldest' } : claim;
}

function malformed(detail: string): Result<Grant, Denial> {
  return fail({ reason: 'token-malformed', detail });
}
