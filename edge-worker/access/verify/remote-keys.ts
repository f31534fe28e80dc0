/** Keys that an issuer lists at a URL (JSON Web Key Set, RFC 7517 §5): read ahead of need, kept when the URL fails. */

import { z } from 'zod';
import type { KeySource } from '../../../shared/access/key-source.ts';
import { describeError, type LogFacts, type LogLevel } from '../../log.ts';
import { readLimited } from './read-limited.ts';
import { importKey, type KeyContext, type VerificationKey } from './verification-key.ts';

type RemoteSource = Extract<KeySource, { readonly kind: 'jwks-url' }>;
type RemoteAlgorithm = RemoteSource['algorithms'][number];

/** What reading a key set needs of the world. */
export interface RemoteKeyParts {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** The last good text of each URL, for isolates that start while it cannot be read. */
  readonly store: {
    readonly get: (url: string) => Promise<string | undefined>;
    readonly put: (url: string, text: string) => Promise<void>;
  };
  readonly log: (level: LogLevel, event: string, facts: LogFacts) => void;
}

/** Age from which a set is read again, in the background, seconds. */
const FRESH_SECONDS = 300;
/** Shortest time between two attempts, whatever is asked: unknown key identifiers cost one request in that time. */
const ATTEMPT_SECONDS = 10;
/** Longest time that one attempt takes, milliseconds; viewers whose key is not known wait for it. */
const ATTEMPT_MS = 3000;
/** Longest wait for an attempt that another request began and that may have died with it, milliseconds. */
const WAIT_MS = ATTEMPT_MS + 500;
/** Requests that wait for one attempt; those beyond are denied at once. */
const MAX_WAITING = 100;
/** Largest set, bytes: a hundred RSA keys with certificates. */
const MAX_SET_BYTES = 262_144;
const MAX_KEYS = 100;

const setSchema = z.object({ keys: z.array(z.record(z.string(), z.unknown())).max(MAX_KEYS) });

/** One URL's keys. */
export class RemoteKeys {
  readonly #source: RemoteSource;
  readonly #parts: RemoteKeyParts;
  #keys: ReadonlyMap<string, VerificationKey> = new Map();
  #readAt = Number.NEGATIVE_INFINITY;
  #attemptedAt = Number.NEGATIVE_INFINITY;
  #attempt: Promise<void> | undefined;
  #waiting = 0;

  /** Reads nothing yet. */
  constructor(source: RemoteSource, parts: RemoteKeyParts) {
    this.#source = source;
    this.#parts = parts;
  }

  /** Finds a key; one that is not known is looked for at the URL, as often as that is allowed. */
  async find(keyId: string, context: KeyContext): Promise<VerificationKey | undefined> {
    const known = this.#keys.get(keyId);
    if (known !== undefined) {
      this.#keepFresh(context);
      return known;
    }
    this.#attemptAtMostOnce(context);
    await this.#wait();
    return this.#keys.get(keyId);
  }

  #keepFresh(context: KeyContext): void {
    if (context.now - this.#readAt >= FRESH_SECONDS) {
      this.#attemptAtMostOnce(context);
    }
  }

  /** Forgets all keys: their source is gone. */
  drop(): void {
    this.#replace(new Map());
  }

  #attemptAtMostOnce(context: KeyContext): void {
    if (context.now - this.#attemptedAt < ATTEMPT_SECONDS) {
      return;
    }
    this.#attemptedAt = context.now;
    const attempt = this.#read(context.now).finally(() => {
      if (this.#attempt === attempt) {
        this.#attempt = undefined;
      }
    });
    this.#attempt = attempt;
    context.background(attempt);
  }

  async #wait(): Promise<void> {
    if (this.#attempt === undefined || this.#waiting >= MAX_WAITING) {
      return;
    }
    this.#waiting++;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, WAIT_MS);
    await Promise.race([this.#attempt, late.promise]);
    clearTimeout(timer);
    this.#waiting--;
  }

  /** Reads the set; on failure the keys stay, and an isolate that has none takes the last good text. */
  async #read(now: number): Promise<void> {
    try {
      const text = await this.#fetchText();
      await this.#take(text);
      this.#readAt = now;
      await this.#parts.store.put(this.#source.url, text);
    } catch (error) {
      const facts = { issuer: this.#source.issuer, cause: describeError(error), known: this.#keys.size };
      this.#parts.log('warn', 'jwks-not-read', facts);
      await this.#takeStored();
    }
  }

  async #takeStored(): Promise<void> {
    if (this.#keys.size > 0) {
      return;
    }
    try {
      const text = await this.#parts.store.get(this.#source.url);
      if (text !== undefined) {
        await this.#take(text);
      }
    } catch (error) {
      this.#parts.log('warn', 'jwks-store-not-read', { cause: describeError(error) });
    }
  }

  async #fetchText(): Promise<string> {
    const { url } = this.#source;
    if (!isTrustworthy(url)) {
      throw new Error('a key set is read over https alone');
    }
    const answer = await this.#parts.fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(ATTEMPT_MS),
    });
    if (answer.status !== 200) {
      await answer.body?.cancel();
      throw new Error(`status ${answer.status}`);
    }
    return readLimited(answer, MAX_SET_BYTES);
  }

  async #take(text: string): Promise<void> {
    const { keys } = setSchema.parse(JSON.parse(text));
    const taken = new Map<string, VerificationKey>();
    for (const jwk of keys) {
      const algorithm = algorithmOf(jwk, this.#source.algorithms);
      const keyId = jwk['kid'];
      if (algorithm !== undefined && typeof keyId === 'string' && !taken.has(keyId)) {
        const key = await this.#keyOf(jwk, keyId, algorithm);
        if (key !== undefined) {
          taken.set(keyId, key);
        }
      }
    }
    this.#replace(taken);
  }

  /** The same key as before, or a new one; `undefined` where it cannot be imported. */
  async #keyOf(
    jwk: Readonly<Record<string, unknown>>,
    keyId: string,
    algorithm: RemoteAlgorithm,
  ): Promise<VerificationKey | undefined> {
    const fingerprint = JSON.stringify([algorithm, jwk]);
    const before = this.#keys.get(keyId);
    if (before?.fingerprint === fingerprint) {
      return before;
    }
    try {
      const imported = await importKey(jwk, algorithm);
      const { issuer, audience } = this.#source;
      return {
        algorithm,
        issuer,
        audience,
        fingerprint,
        load: async () => imported,
        isCurrent: true,
        keepFresh: (context) => {
          this.#keepFresh(context);
        },
      };
    } catch (error) {
      this.#parts.log('warn', 'jwks-key-not-usable', {
        issuer: this.#source.issuer,
        cause: describeError(error),
      });
      return undefined;
    }
  }

  #replace(keys: ReadonlyMap<string, VerificationKey>): void {
    for (const [keyId, key] of this.#keys) {
      key.isCurrent = keys.get(keyId) === key;
    }
    this.#keys = keys;
  }
}

/** The algorithm that a key of a set is for; secrets have no place there, whatever they say. */
function algorithmOf(
  jwk: Readonly<Record<string, unknown>>,
  allowed: readonly RemoteAlgorithm[],
): RemoteAlgorithm | undefined {
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') {
    return undefined;
  }
  const named = jwk['alg'];
  return allowed.find((algorithm) => {
    const fits = { ES256: 'EC', RS256: 'RSA', EdDSA: 'OKP' }[algorithm] === jwk['kty'];
    return fits && (named === undefined || named === algorithm);
  });
}

/** Plain HTTP only within one machine. */
function isTrustworthy(url: string): boolean {
  const parsed = URL.parse(url);
  return (
    parsed?.protocol === 'https:' ||
    (parsed?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(parsed.hostname))
  );
}
