/**
 * Session tokens: what the edge itself signs so that playback outlives the token which started it. One holds the
 * whole grant, so no location has to ask another what a session may do.
 *
 * `s1.{payload}.{tag}`: JSON and HMAC-SHA-256 of all before the last dot, both base64url without padding.
 */

import { base64url } from 'jose';
import { z } from 'zod';
import type { CatLimits } from '../../../shared/access/cat/cat-limits.ts';
import { MAX_TOKEN_LENGTH } from '../../../shared/access/claims.ts';
import type { Denial } from '../../../shared/access/denial.ts';
import type { Grant } from '../../../shared/access/grant.ts';
import { fail, ok, type Result } from '../../../shared/result.ts';

const PREFIX = 's1.';
const TOKEN = /^s1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/;
/** Separates this key from every other use of the secret it is derived from. */
const KEY_USE = 'rill session token v1';
const HMAC = { name: 'HMAC', hash: 'SHA-256' };
/** Grants remembered per isolate: at most 16 MB. */
const MAX_REMEMBERED_GRANTS = 4_000;

/** A grant that is bound to a session. */
export type SessionGrant = Grant & { readonly session: string; readonly sessionStarted: number };

const texts = z.array(z.string()).optional();
/** What the tag vouches for; the schema refuses what another version of the edge may have written differently. */
const grantSchema = z.object({
  tokenId: z.string().optional(),
  issuer: z.string().optional(),
  viewer: z.string().optional(),
  scopes: z.array(z.enum(['play'])),
  streams: z.array(z.string()),
  notBefore: z.number().optional(),
  expires: z.number(),
  issuedAt: z.number().optional(),
  area: z.object({ countries: texts, regions: texts, asns: z.array(z.number()).optional(), prefixes: texts }),
  maxHeight: z.number().optional(),
  maxBitrate: z.number().optional(),
  sessions: z.object({ limit: z.number(), loser: z.enum(['oldest', 'newest']) }).optional(),
  timeShift: z.number().optional(),
  session: z.string(),
  sessionStarted: z.number(),
  /** As it was read from the first token. */
  cat: z.custom<CatLimits>((value) => typeof value === 'object' && value !== null).optional(),
});

/** Tells a session token from a token of an issuer by its look. */
export function isSessionToken(token: string): boolean {
  return token.startsWith(PREFIX);
}

/** Makes the id of a new session. */
export function newSessionId(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(12)));
}

/** Signs and verifies session tokens under a key derived from one secret. */
export class SessionTokens {
  readonly #secret: string;
  readonly #grants = new Map<string, SessionGrant>();
  #key: CryptoKey | undefined;

  /** `secret` is UTF-8 text with at least 256 bits of randomness. */
  constructor(secret: string) {
    this.#secret = secret;
  }

  /** Signs a grant, and remembers it: the viewer comes back with it at once. */
  async issue(grant: SessionGrant): Promise<string> {
    const playing: SessionGrant = { ...grant, scopes: ['play'] };
    const signed = PREFIX + base64url.encode(JSON.stringify(playing));
    const tag = await crypto.subtle.sign('HMAC', await this.#importedKey(), new TextEncoder().encode(signed));
    const token = `${signed}.${base64url.encode(new Uint8Array(tag))}`;
    this.#remember(token, playing);
    return token;
  }

  /** Tells what a session token grants. Its times are judged with every use of the grant, not here. */
  async verify(token: string): Promise<Result<Grant, Denial>> {
    const known = this.#grants.get(token);
    if (known !== undefined) {
      return ok(known);
    }
    if (!TOKEN.test(token) || token.length > 2 * MAX_TOKEN_LENGTH) {
      return fail({ reason: 'token-malformed', detail: 'no session token' });
    }
    const dot = token.lastIndexOf('.');
    const signed = new TextEncoder().encode(token.slice(0, dot));
    const tag = base64url.decode(token.slice(dot + 1));
    if (!(await crypto.subtle.verify('HMAC', await this.#importedKey(), tag, signed))) {
      return fail({ reason: 'token-forged', detail: 'session token' });
    }
    const grant = readGrant(token.slice(PREFIX.length, dot));
    if (grant === undefined) {
      return fail({ reason: 'token-malformed', detail: 'session token of another version' });
    }
    this.#remember(token, grant);
    return ok(grant);
  }

  async #importedKey(): Promise<CryptoKey> {
    // The key itself is kept, not the promise of it: that would end with the request that made it.
    this.#key ??= await deriveKey(this.#secret);
    return this.#key;
  }

  #remember(token: string, grant: SessionGrant): void {
    if (this.#grants.size >= MAX_REMEMBERED_GRANTS) {
      const [oldest] = this.#grants.keys();
      this.#grants.delete(oldest ?? '');
    }
    this.#grants.set(token, grant);
  }
}

/** HKDF, RFC 5869. */
async function deriveKey(secret: string): Promise<CryptoKey> {
  const text = new TextEncoder();
  const key = await crypto.subtle.importKey('raw', text.encode(secret), 'HKDF', false, ['deriveKey']);
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: text.encode(KEY_USE) };
  return crypto.subtle.deriveKey(derivation, key, { ...HMAC, length: 256 }, false, ['sign', 'verify']);
}

function readGrant(payload: string): SessionGrant | undefined {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(base64url.decode(payload)));
    const { data } = grantSchema.safeParse(json);
    return data === undefined ? undefined : withAllFields(data);
  } catch {
    return undefined;
  }
}

/** The same shape as every other grant: limits that were not written are there, without a value. */
function withAllFields(data: z.infer<typeof grantSchema>): SessionGrant {
  return {
    ...data,
    tokenId: data.tokenId,
    issuer: data.issuer,
    viewer: data.viewer,
    notBefore: data.notBefore,
    area: {
      countries: data.area.countries,
      regions: data.area.regions,
      asns: data.area.asns,
      prefixes: data.area.prefixes,
    },
    maxHeight: data.maxHeight,
    maxBitrate: data.maxBitrate,
    sessions: data.sessions,
    timeShift: data.timeShift,
  };
}
