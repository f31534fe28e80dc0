/** Verifies playback tokens (JWS, RFC 7515, HS256 alone) and remembers those it has verified. */

import { compactVerify, errors } from 'jose';
import { fail, type Result } from '../../shared/result.ts';
import { MAX_TOKEN_LENGTH, readGrant } from '../../shared/access/claims.ts';
import type { Denial } from '../../shared/access/denial.ts';
import type { Grant } from '../../shared/access/grant.ts';

/** Shortest key, bytes: RFC 7518 §3.2 asks for the length of the hash. */
export const MIN_SECRET_BYTES = 32;
/** Grants remembered per isolate: a viewer asks several times a second; at most 8 MB of tokens. */
const MAX_REMEMBERED_GRANTS = 2_000;

/** Verifies tokens under one key. */
export class TokenVerifier {
  readonly #secret: Uint8Array;
  readonly #grants = new Map<string, Grant>();
  #key: Promise<CryptoKey> | undefined;

  /** `secret` is the key as UTF-8 text of at least {@link MIN_SECRET_BYTES}. */
  constructor(secret: string) {
    this.#secret = new TextEncoder().encode(secret);
  }

  /**
   * Tells what a token grants, or why it is no token of ours. Times are not judged here but on every use of the
   * grant; one that has expired at `now` (Unix seconds) is not kept.
   */
  async verify(token: string, now: number): Promise<Result<Grant, Denial>> {
    if (token.length > MAX_TOKEN_LENGTH) {
      return fail({ reason: 'token-malformed', detail: `longer than ${MAX_TOKEN_LENGTH} characters` });
    }
    const known = this.#grants.get(token);
    if (known !== undefined) {
      this.#forgetExpired(token, known, now);
      return { ok: true, value: known };
    }
    const claims = await this.#verifySignature(token);
    const grant = claims.ok ? readGrant(claims.value) : claims;
    if (grant.ok && grant.value.expires > now) {
      this.#remember(token, grant.value);
    }
    return grant;
  }

  async #verifySignature(token: string): Promise<Result<unknown, Denial>> {
    try {
      const { payload } = await compactVerify(token, await this.#importedKey(), { algorithms: ['HS256'] });
      return readJson(payload);
    } catch (error) {
      if (
        error instanceof errors.JWSSignatureVerificationFailed ||
        error instanceof errors.JOSEAlgNotAllowed
      ) {
        return fail({ reason: 'token-forged', detail: error.code });
      }
      if (error instanceof errors.JOSEError) {
        return fail({ reason: 'token-malformed', detail: error.code });
      }
      throw error;
    }
  }

  async #importedKey(): Promise<CryptoKey> {
    this.#key ??= crypto.subtle.importKey('raw', this.#secret, { name: 'HMAC', hash: 'SHA-256' }, false, [
      'verify',
    ]);
    return this.#key;
  }

  #remember(token: string, grant: Grant): void {
    if (this.#grants.size >= MAX_REMEMBERED_GRANTS) {
      const [oldest] = this.#grants.keys();
      this.#grants.delete(oldest ?? '');
    }
    this.#grants.set(token, grant);
  }

  #forgetExpired(token: string, grant: Grant, now: number): void {
    if (grant.expires <= now) {
      this.#grants.delete(token);
    }
  }
}

function readJson(bytes: Uint8Array): Result<unknown, Denial> {
  try {
    const value: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes),
    );
    return { ok: true, value };
  } catch {
    return fail({ reason: 'token-malformed', detail: 'payload is not JSON' });
  }
}
