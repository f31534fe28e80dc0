/** Keys that tokens are verified with: from a JSON Web Key (RFC 7517) to a `CryptoKey` for one algorithm. */

import { base64url } from 'jose';
import type { TokenAlgorithm } from '../../../shared/access/key-source.ts';

/** A key with what tokens under it have to say. */
export interface VerificationKey {
  readonly algorithm: TokenAlgorithm;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  /** Tells the same key from another when its source is read again. */
  readonly fingerprint: string;
  /** Gives the key, imported once; throws {@link KeyError} where it cannot be used. */
  readonly load: () => Promise<CryptoKey>;
  /** False once its source has it no longer: what it verified is to be forgotten. */
  isCurrent: boolean;
  /** To be called on each use of what the key verified: its source may have to be read again. */
  readonly keepFresh: ((context: KeyContext) => void) | undefined;
}

/** When something is asked, and who keeps work alive that goes on after the answer. */
export interface KeyContext {
  /** Unix seconds. */
  readonly now: number;
  readonly background: (work: Promise<unknown>) => void;
}

/** A key cannot be used; the message names the cause, never the key. */
export class KeyError extends Error {
  readonly code = 'unusable-key';
}

/** Shortest HMAC key, bytes: RFC 7518 §3.2 asks for the length of the hash. */
export const MIN_SECRET_BYTES = 32;
/** RFC 7518 §3.3 asks for 2048 bits; beyond the upper bound one verification costs too much. */
const RSA_BITS = { least: 2048, most: 8192 };

const PARAMETERS = {
  HS256: { name: 'HMAC', hash: 'SHA-256' },
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
} as const;
/** Members of a key that matter; others, private parts above all, are left out. */
const MEMBERS = {
  HS256: ['k'],
  ES256: ['crv', 'x', 'y'],
  RS256: ['n', 'e'],
  EdDSA: ['crv', 'x'],
} as const;
const KEY_TYPES = { HS256: 'oct', ES256: 'EC', RS256: 'RSA', EdDSA: 'OKP' } as const;

/**
 * Imports when it is first asked to, and keeps the outcome. Not the promise of it: in Workers that ends with the
 * request which made it, and others that wait for it would wait for ever.
 */
export function importOnce(importing: () => Promise<CryptoKey>): () => Promise<CryptoKey> {
  let outcome: CryptoKey | KeyError | undefined;
  return async () => {
    try {
      outcome ??= await importing();
    } catch (error) {
      outcome = error instanceof KeyError ? error : new KeyError('not importable', { cause: error });
    }
    if (outcome instanceof KeyError) {
      throw outcome;
    }
    return outcome;
  };
}

/** Imports a key for one algorithm; throws {@link KeyError} where it is none for it. */
export async function importKey(
  jwk: Readonly<Record<string, unknown>>,
  algorithm: TokenAlgorithm,
): Promise<CryptoKey> {
  if (jwk['kty'] !== KEY_TYPES[algorithm]) {
    throw new KeyError(`kty is not ${KEY_TYPES[algorithm]}, which ${algorithm} needs`);
  }
  const members = MEMBERS[algorithm].map((name) => [name, jwk[name]] as const);
  if (
    !members.every((member): member is readonly [(typeof member)[0], string] => typeof member[1] === 'string')
  ) {
    throw new KeyError(`one of ${MEMBERS[algorithm].join(', ')} is missing`);
  }
  const key = await importMembers({ kty: KEY_TYPES[algorithm], ...Object.fromEntries(members) }, algorithm);
  const bits = 'modulusLength' in key.algorithm ? key.algorithm.modulusLength : undefined;
  if (bits !== undefined && (bits < RSA_BITS.least || bits > RSA_BITS.most)) {
    throw new KeyError(`an RSA key has ${RSA_BITS.least} to ${RSA_BITS.most} bits`);
  }
  return key;
}

async function importMembers(
  jwk: { readonly kty: string; readonly [member: string]: string },
  algorithm: TokenAlgorithm,
): Promise<CryptoKey> {
  if (algorithm === 'HS256') {
    return importSecret(decodeSecret(jwk['k'] ?? ''));
  }
  try {
    return await crypto.subtle.importKey('jwk', jwk, PARAMETERS[algorithm], false, ['verify']);
  } catch (error) {
    throw new KeyError(`no ${algorithm} key`, { cause: error });
  }
}

function decodeSecret(text: string): Uint8Array {
  try {
    return base64url.decode(text);
  } catch (error) {
    throw new KeyError('k is not base64url', { cause: error });
  }
}

/** Imports an HMAC key from its bytes; throws {@link KeyError} where they are too few. */
export async function importSecret(bytes: Uint8Array): Promise<CryptoKey> {
  if (bytes.length < MIN_SECRET_BYTES) {
    throw new KeyError(`an HMAC key has at least ${MIN_SECRET_BYTES} bytes`);
  }
  return crypto.subtle.importKey('raw', bytes, PARAMETERS.HS256, false, ['verify']);
}
