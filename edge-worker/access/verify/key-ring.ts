/** All keys of the edge: the play secret, those of the configuration and those that issuers list at URLs. */

import type { KeySource, TokenAlgorithm } from '../../../shared/access/key-source.ts';
import { describeError } from '../../log.ts';
import { RemoteKeys, type RemoteKeyParts } from './remote-keys.ts';
import {
  importKey,
  importOnce,
  importSecret,
  type KeyContext,
  type VerificationKey,
} from './verification-key.ts';

/** What a token says of its key before anything of it is verified. */
export interface KeyClaim {
  readonly algorithm: TokenAlgorithm;
  readonly keyId: string | undefined;
  /** Reads the token's unverified issuer: it chooses among URLs. */
  readonly issuer: () => unknown;
}

/** How a search ended; `other-algorithm`: there is such a key, for another algorithm. */
export type KeySearch =
  | { readonly kind: 'found'; readonly key: VerificationKey }
  | { readonly kind: 'unknown' | 'other-algorithm' };

type LocalSource = Extract<KeySource, { readonly kind: 'jwk' }>;

/** A URL and what it is asked for. */
interface Remote {
  readonly issuer: string;
  readonly algorithms: readonly TokenAlgorithm[];
  readonly keys: RemoteKeys;
}

/** Keeps keys imported across requests; each of them is as current as its source. */
export class KeyRing {
  readonly #parts: RemoteKeyParts;
  #playSecret: { readonly text: string; readonly key: VerificationKey } | undefined;
  #sources: readonly KeySource[] = [];
  #local: ReadonlyMap<string, VerificationKey> = new Map();
  #localById: ReadonlyMap<string, readonly VerificationKey[]> = new Map();
  #remote: ReadonlyMap<string, Remote> = new Map();

  /** Starts without keys. */
  constructor(parts: RemoteKeyParts) {
    this.#parts = parts;
  }

  /** Takes the keys that hold from now on; those that stay keep what is known of them. */
  use(playSecret: string | undefined, sources: readonly KeySource[]): void {
    if (this.#playSecret?.text !== playSecret) {
      this.#takeSecret(playSecret);
    }
    if (this.#sources !== sources) {
      this.#sources = sources;
      this.#takeLocal(sources.filter((source) => source.kind === 'jwk'));
      this.#takeRemote(sources.filter((source) => source.kind === 'jwks-url'));
    }
  }

  /** Finds the key of a token: by its identifier, or the play secret where it names none. */
  async find(claim: KeyClaim, context: KeyContext): Promise<KeySearch> {
    const { keyId, algorithm } = claim;
    if (keyId === undefined) {
      const key = this.#playSecret?.key;
      return chosen(key === undefined ? [] : [key], algorithm);
    }
    const local = this.#localById.get(keyId);
    if (local !== undefined) {
      return chosen(local, algorithm);
    }
    const issuer = this.#remote.size === 0 ? undefined : claim.issuer();
    for (const remote of this.#remote.values()) {
      if (remote.issuer === issuer && remote.algorithms.includes(algorithm)) {
        const key = await remote.keys.find(keyId, context);
        if (key !== undefined) {
          return chosen([key], algorithm);
        }
      }
    }
    return { kind: 'unknown' };
  }

  #takeSecret(text: string | undefined): void {
    if (this.#playSecret !== undefined) {
      this.#playSecret.key.isCurrent = false;
    }
    this.#playSecret =
      text === undefined
        ? undefined
        : {
            text,
            key: this.#keyOf('RILL_PLAY_SECRET', () => importSecret(new TextEncoder().encode(text)), {
              algorithm: 'HS256',
              issuer: undefined,
              audience: undefined,
              fingerprint: '',
            }),
          };
  }

  #takeLocal(sources: readonly LocalSource[]): void {
    const keys = new Map<string, VerificationKey>();
    const byId = new Map<string, VerificationKey[]>();
    for (const source of sources) {
      const { keyId, algorithm, issuer, audience } = source;
      const fingerprint = JSON.stringify(source);
      const key =
        this.#local.get(fingerprint) ??
        this.#keyOf(keyId, () => importKey(source.jwk, algorithm), {
          algorithm,
          issuer,
          audience,
          fingerprint,
        });
      keys.set(fingerprint, key);
      byId.set(keyId, [...(byId.get(keyId) ?? []), key]);
    }
    for (const [fingerprint, key] of this.#local) {
      key.isCurrent = keys.has(fingerprint);
    }
    this.#local = keys;
    this.#localById = byId;
  }

  #takeRemote(sources: readonly Extract<KeySource, { readonly kind: 'jwks-url' }>[]): void {
    const before = this.#remote;
    this.#remote = new Map(
      sources.map((source) => {
        const fingerprint = JSON.stringify(source);
        const { issuer, algorithms } = source;
        const keys = before.get(fingerprint)?.keys ?? new RemoteKeys(source, this.#parts);
        return [fingerprint, { issuer, algorithms, keys }];
      }),
    );
    for (const [fingerprint, { keys }] of before) {
      if (!this.#remote.has(fingerprint)) {
        keys.drop();
      }
    }
  }

  #keyOf(
    name: string,
    importing: () => Promise<CryptoKey>,
    facts: Omit<VerificationKey, 'load' | 'isCurrent' | 'keepFresh'>,
  ): VerificationKey {
    const load = importOnce(async () => {
      try {
        return await importing();
      } catch (error) {
        this.#parts.log('error', 'key-not-usable', { key: name, cause: describeError(error) });
        throw error;
      }
    });
    return { ...facts, load, isCurrent: true, keepFresh: undefined };
  }
}

function chosen(keys: readonly VerificationKey[], algorithm: TokenAlgorithm): KeySearch {
  const key = keys.find((candidate) => candidate.algorithm === algorithm);
  if (key !== undefined) {
    return { kind: 'found', key };
  }
  return { kind: keys.length === 0 ? 'unknown' : 'other-algorithm' };
}
