/** An issuer of tokens for tests: keys of every algorithm, JWTs and CATs under them, and a verifier that trusts it. */

import { encode } from 'cborg';
import { base64url, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { Tagged } from '../../../../shared/access/cat/cbor.ts';
import type { KeySource, TokenAlgorithm } from '../../../../shared/access/key-source.ts';
import type { RemoteKeyParts } from '../remote-keys.ts';
import { TokenVerifier, type VerifyContext } from '../token-verifier.ts';

/** Present of the tests, Unix seconds. */
export const NOW = 1_800_000_000;
/** The key of tokens that name none. */
export const PLAY_SECRET = 'a playback secret for tests that is long enough';

/** A key that signs, and the source under which the edge knows its public half. */
export interface IssuerKey {
  readonly source: Extract<KeySource, { readonly kind: 'jwk' }>;
  readonly algorithm: TokenAlgorithm;
  readonly signing: CryptoKey | Uint8Array;
}

/** Makes a key pair, or a secret. */
export async function makeKey(
  algorithm: TokenAlgorithm,
  keyId: string,
  party: { readonly issuer?: string; readonly audience?: string } = {},
): Promise<IssuerKey> {
  const made = await makeMaterial(algorithm);
  const { issuer, audience } = party;
  return {
    algorithm,
    signing: made.signing,
    source: { kind: 'jwk', keyId, algorithm, jwk: made.jwk, issuer, audience },
  };
}

async function makeMaterial(
  algorithm: TokenAlgorithm,
): Promise<{ readonly signing: IssuerKey['signing']; readonly jwk: Record<string, unknown> }> {
  if (algorithm === 'HS256') {
    const signing = crypto.getRandomValues(new Uint8Array(32));
    return { signing, jwk: { kty: 'oct', k: base64url.encode(signing) } };
  }
  const pair = await generateKeyPair(algorithm, { extractable: true });
  return { signing: pair.privateKey, jwk: { ...(await exportJWK(pair.publicKey)) } };
}

/** Signs a JWT for stream `show` that holds for a minute; claims and header members override. */
export async function signJwt(
  key: IssuerKey,
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return new SignJWT({ stream: 'show', exp: NOW + 60, ...claims })
    .setProtectedHeader({ alg: key.algorithm, kid: key.source.keyId, ...header })
    .sign(key.signing);
}

/** What a CAT is made of beside its claims. */
export interface CatOptions {
  readonly protectedHeader?: ReadonlyMap<unknown, unknown>;
  readonly unprotected?: ReadonlyMap<unknown, unknown>;
  /** Tags from the outermost inwards: 61 and the kind's own unless told. */
  readonly tags?: readonly number[];
  /** Bytes in place of the claims' encoding. */
  readonly payload?: Uint8Array;
}

/** Makes a CAT with its own means (RFC 9052 §4.4, §6.3); it expires in a minute unless told. */
export async function signCat(
  key: Pick<IssuerKey, 'algorithm' | 'signing'> & { readonly keyId: string | undefined },
  claims: ReadonlyMap<unknown, unknown> = new Map(),
  options: CatOptions = {},
): Promise<string> {
  const isMac = key.algorithm === 'HS256';
  const header = encode(options.protectedHeader ?? new Map([[1, isMac ? 5 : -7]]));
  const payload = options.payload ?? encodeCbor(new Map([[4, NOW + 60], ...claims]));
  const context = isMac ? 'MAC0' : 'Signature1';
  const signed = encode([context, header, new Uint8Array(0), payload]);
  const keyId = key.keyId === undefined ? new Map() : new Map([[4, new TextEncoder().encode(key.keyId)]]);
  const signature = await signBytes(key, signed);
  const message: unknown = [header, options.unprotected ?? keyId, payload, signature];
  const tags = options.tags ?? [61, isMac ? 17 : 18];
  return base64url.encode(encodeCbor(tags.reduceRight((inner, tag) => new Tagged(tag, inner), message)));
}

async function signBytes(
  { algorithm, signing }: Pick<IssuerKey, 'algorithm' | 'signing'>,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  if (signing instanceof Uint8Array) {
    const hmac = { name: 'HMAC', hash: 'SHA-256' };
    const key = await crypto.subtle.importKey('raw', new Uint8Array(signing), hmac, false, ['sign']);
    return new Uint8Array(await crypto.subtle.sign('HMAC', key, new Uint8Array(bytes)));
  }
  const parameters = { name: algorithm === 'ES256' ? 'ECDSA' : 'Ed25519', hash: 'SHA-256' };
  return new Uint8Array(await crypto.subtle.sign(parameters, signing, new Uint8Array(bytes)));
}

/** Encodes CBOR with tags. */
function encodeCbor(value: unknown): Uint8Array {
  if (value instanceof Tagged) {
    const head = value.tag < 24 ? [0xc0 + value.tag] : [0xd8, value.tag];
    return concat([Uint8Array.from(head), encodeCbor(value.value)]);
  }
  if (Array.isArray(value)) {
    const head = encode(Array.from({ length: value.length }, () => 0)).slice(0, value.length < 24 ? 1 : 2);
    return concat([head, ...value.map((entry: unknown) => encodeCbor(entry))]);
  }
  if (value instanceof Map) {
    const entries = [...value].flatMap(([key, entry]: readonly unknown[]) => [
      encodeCbor(key),
      encodeCbor(entry),
    ]);
    return concat([
      Uint8Array.of(value.size < 24 ? 0xa0 + value.size : 0xb8),
      ...(value.size < 24 ? [] : [Uint8Array.of(value.size)]),
      ...entries,
    ]);
  }
  return encode(value);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** A verifier whose key sets come from a function, and the context that trusts `keys`. */
export function makeVerifier(
  keys: readonly KeySource[],
  parts: Partial<RemoteKeyParts> = {},
): { readonly verifier: TokenVerifier; readonly context: VerifyContext; readonly events: string[] } {
  const events: string[] = [];
  const verifier = new TokenVerifier({
    fetch: async () => new Response('none', { status: 404 }),
    store: { get: async () => undefined, put: async () => undefined },
    log: (_level, event) => {
      events.push(event);
    },
    ...parts,
  });
  return {
    verifier,
    events,
    context: { now: NOW, keys, playSecret: PLAY_SECRET, background: () => undefined },
  };
}
