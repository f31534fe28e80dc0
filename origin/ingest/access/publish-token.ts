/** Publish tokens: JSON Web Tokens with the scope `publish` and the stream, under keys of the configuration. */

import { createHash } from 'node:crypto';
import { errors, importJWK, jwtVerify, decodeProtectedHeader, type CryptoKey } from 'jose';
import { checkGrant } from '#shared/access/check-grant.ts';
import { MAX_TOKEN_LENGTH, readGrant } from '#shared/access/claims.ts';
import type { Grant } from '#shared/access/grant.ts';
import type { TokenAlgorithm } from '#shared/access/key-source.ts';
import { DecisionCache } from './decision-cache.ts';
import type { PublishClaim, PublishDecider, PublishDecision } from './publish-decision.ts';

/** A key of the configuration; tokens under it name `issuer` and `audience` where they are given. */
export interface PublishTokenKey {
  readonly keyId: string;
  readonly algorithm: TokenAlgorithm;
  /** RFC 7517: a public key, or with HS256 a secret. */
  readonly jwk: Readonly<Record<string, unknown>>;
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
}

/** A key of the configuration cannot be used; the message names it, never what it is. */
class PublishTokenKeyError extends Error {
  override readonly name = 'PublishTokenKeyError';
  readonly code = 'unusable-publish-token-key';
}

type ImportedKey = PublishTokenKey & { readonly imported: CryptoKey | Uint8Array };

/** Verified tokens that are remembered, so that a reconnect over SRT is decided inside its handshake. */
const MAX_REMEMBERED = 1_000;
/** Shortest secret, bytes: RFC 7518 §3.2 asks for the length of the hash. */
const MIN_SECRET_BYTES = 32;
const MILLISECONDS_PER_SECOND = 1_000;
/** Three parts of base64url, RFC 7515 §7.1. */
const COMPACT_TOKEN = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** Makes the decider over the configuration's keys; rejects where one of them cannot be used. */
export async function createTokenDecider(
  keys: readonly PublishTokenKey[],
  now: () => number,
): Promise<PublishDecider> {
  return new TokenDecider(await Promise.all(keys.map(importKey)), now);
}

async function importKey(key: PublishTokenKey): Promise<ImportedKey> {
  try {
    const imported = await importJWK({ ...key.jwk }, key.algorithm);
    if (imported instanceof Uint8Array && imported.length < MIN_SECRET_BYTES) {
      throw new Error(`its secret has less than ${MIN_SECRET_BYTES} bytes`);
    }
    if (!(imported instanceof Uint8Array) && imported.type !== 'public') {
      throw new Error('it is a private key: keep it, and give its public half');
    }
    return { ...key, imported };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new PublishTokenKeyError(`publish.tokenKeys: the key "${key.keyId}" cannot be used: ${detail}`);
  }
}

class TokenDecider implements PublishDecider {
  readonly #keys: readonly ImportedKey[];
  /** Milliseconds since 1970. */
  readonly #now: () => number;
  readonly #verified = new DecisionCache<Grant>(MAX_REMEMBERED);

  constructor(keys: readonly ImportedKey[], now: () => number) {
    this.#keys = keys;
    this.#now = now;
  }

  decide(claim: PublishClaim): PublishDecision | Promise<PublishDecision> {
    const token = claim.credential;
    if (token.length > MAX_TOKEN_LENGTH || !COMPACT_TOKEN.test(token)) {
      return refused('neither the publish key of this stream nor a token');
    }
    const known = this.#verified.find(tokenId(token), this.#now());
    return known === undefined ? this.#verify(token, claim) : this.#check(known, claim);
  }

  async #verify(token: string, claim: PublishClaim): Promise<PublishDecision> {
    try {
      const key = this.#keyOf(token);
      if (key === undefined) {
        return refused('token: no key of publish.tokenKeys has its kid and alg');
      }
      const { payload } = await jwtVerify(token, key.imported, {
        algorithms: [key.algorithm],
        clockTolerance: 5,
        ...(key.issuer !== undefined && { issuer: key.issuer }),
        ...(key.audience !== undefined && { audience: key.audience }),
      });
      const grant = readGrant(payload);
      if (!grant.ok) {
        return refused(`token: ${grant.failure.reason}`);
      }
      this.#verified.keep(tokenId(token), grant.value, grant.value.expires * MILLISECONDS_PER_SECOND);
      return this.#check(grant.value, claim);
    } catch (error) {
      if (error instanceof errors.JOSEError) {
        return refused(`token: ${error.code}`);
      }
      throw error;
    }
  }

  /** A token without a key id is one under the only key there is. */
  #keyOf(token: string): ImportedKey | undefined {
    const { kid, alg } = readHeader(token);
    const candidates = this.#keys.filter(({ keyId }) => kid === undefined || keyId === kid);
    const [key] =
      kid === undefined && candidates.length > 1 ? [] : candidates.filter((one) => one.algorithm === alg);
    return key;
  }

  /** Where a publisher is, beyond its address, is not known here: a token for certain countries does not hold. */
  #check(grant: Grant, { stream, address }: PublishClaim): PublishDecision {
    const nowhere = { country: undefined, continent: undefined, region: undefined, asn: undefined };
    const now = this.#now() / MILLISECONDS_PER_SECOND;
    const checked = checkGrant({ grant, stream, place: { ...nowhere, address }, now, scope: 'publish' });
    return checked.ok ? { kind: 'allowed' } : refused(`token: ${checked.failure.reason}`);
  }
}

function readHeader(token: string): { readonly kid?: unknown; readonly alg?: unknown } {
  try {
    return decodeProtectedHeader(token);
  } catch {
    // What jose throws here has no code; the token is malformed in any case.
    throw new errors.JWTInvalid('the header is not JSON');
  }
}

function tokenId(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

function refused(detail: string): PublishDecision {
  return { kind: 'refused', detail };
}
