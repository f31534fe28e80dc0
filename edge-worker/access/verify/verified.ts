/** What verifying a token ends with, and how the search for its key becomes part of it. */

import type { Denial } from '../../../shared/access/denial.ts';
import type { Grant } from '../../../shared/access/grant.ts';
import type { TokenAlgorithm } from '../../../shared/access/key-source.ts';
import { fail, ok, type Result } from '../../../shared/result.ts';
import type { KeySearch } from './key-ring.ts';
import { KeyError, type VerificationKey } from './verification-key.ts';

/** A verified token's grant, and the key that it holds under. */
export interface Verified {
  readonly grant: Grant;
  readonly key: VerificationKey;
}

/** Waits for a key; one that could not be imported is as good as none. */
export async function usableKey(
  key: VerificationKey,
): Promise<Result<{ readonly key: VerificationKey; readonly imported: CryptoKey }, Denial>> {
  try {
    return ok({ key, imported: await key.load() });
  } catch (error) {
    if (error instanceof KeyError) {
      return fail({ reason: 'unknown-key', detail: 'the key is configured and cannot be used' });
    }
    throw error;
  }
}

/** Why no key was found; a known identifier with another algorithm is an attempt to confuse them. */
export function unknownKey(
  search: Exclude<KeySearch, { readonly kind: 'found' }>,
  algorithm: TokenAlgorithm,
): Result<never, Denial> {
  return search.kind === 'other-algorithm'
    ? fail({ reason: 'token-forged', detail: `its key is not for ${algorithm}` })
    : fail({ reason: 'unknown-key', detail: `no key for ${algorithm} with its identifier` });
}
