/** COSE_Mac0 and COSE_Sign1 messages (RFC 9052 §4.2, §6.2), alone or as CBOR Web Tokens (RFC 8392 §6). */

import { fail, ok, type Result } from '../../result.ts';
import { readCbor, Tagged } from './cbor.ts';

/** A message whose signature has not been verified. */
export interface CoseMessage {
  readonly algorithm: 'HS256' | 'ES256';
  /** Key identifier as text; `undefined` where there is none. */
  readonly keyId: string | undefined;
  readonly payload: Uint8Array<ArrayBuffer>;
  /** What the tag or signature is over. */
  readonly signed: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** Why bytes are no message of the two kinds. */
export type CoseFailure = { readonly reason: 'not-cose'; readonly detail: string };

const CWT_TAG = 61;
const MAC0_TAG = 17;
const SIGN1_TAG = 18;
/** Header labels, RFC 9052 §3.1. */
const ALG = 1;
const CRIT = 2;
const KID = 4;
/** Algorithms, RFC 9053 §2.1 and §3.1: HMAC 256/256 and ES256. */
const ALGORITHMS: ReadonlyMap<unknown, CoseMessage['algorithm']> = new Map([
  [5, 'HS256'],
  [-7, 'ES256'],
]);
const TAG_ALGORITHMS: ReadonlyMap<number, CoseMessage['algorithm']> = new Map([
  [MAC0_TAG, 'HS256'],
  [SIGN1_TAG, 'ES256'],
]);
const MAX_KEY_ID = 256;

/** Reads a message; its kind and its protected `alg` have to agree where both are there. */
export function readCose(bytes: Uint8Array): Result<CoseMessage, CoseFailure> {
  const read = readCbor(bytes);
  if (!read.ok) {
    return notCose(read.failure.detail);
  }
  const cwt = read.value instanceof Tagged && read.value.tag === CWT_TAG ? read.value.value : read.value;
  const tag = cwt instanceof Tagged ? cwt.tag : undefined;
  const fields: unknown = cwt instanceof Tagged ? cwt.value : cwt;
  if (!Array.isArray(fields) || fields.length !== 4) {
    return notCose('not four fields');
  }
  const [protectedBytes, unprotected, payload, signature]: readonly unknown[] = fields;
  if (!isBytes(protectedBytes) || !(unprotected instanceof Map) || !isBytes(payload) || !isBytes(signature)) {
    return notCose('fields of other types');
  }
  const header = readProtected(protectedBytes);
  if (header === undefined) {
    return notCose('protected header is no map');
  }
  if (header.has(CRIT) || unprotected.has(CRIT)) {
    return notCose('critical header parameters');
  }
  const algorithm = algorithmOf(tag, header, unprotected);
  const keyId = readKeyId(header.get(KID) ?? unprotected.get(KID));
  if (algorithm === undefined || !keyId.ok) {
    return notCose(algorithm === undefined ? 'algorithm' : 'key identifier');
  }
  const context = algorithm === 'HS256' ? 'MAC0' : 'Signature1';
  const signed = authenticated(context, protectedBytes, payload);
  return ok({ algorithm, keyId: keyId.value, payload, signed, signature });
}

/** An algorithm outside of the protected header is believed only where the tag says the same. */
function algorithmOf(
  tag: number | undefined,
  header: ReadonlyMap<unknown, unknown>,
  unprotected: ReadonlyMap<unknown, unknown>,
): CoseMessage['algorithm'] | undefined {
  const byTag = tag === undefined ? undefined : TAG_ALGORITHMS.get(tag);
  const named = [header.get(ALG), unprotected.get(ALG)].filter((alg) => alg !== undefined);
  const byHeader = ALGORITHMS.get(header.get(ALG));
  const algorithm = tag === undefined ? byHeader : byTag;
  return named.every((alg) => ALGORITHMS.get(alg) === algorithm) ? algorithm : undefined;
}

function readProtected(bytes: Uint8Array): ReadonlyMap<unknown, unknown> | undefined {
  if (bytes.length === 0) {
    return new Map();
  }
  const read = readCbor(bytes);
  return read.ok && read.value instanceof Map ? read.value : undefined;
}

/** Key identifiers are bytes; Rill's are text, so other bytes name no key. */
function readKeyId(value: unknown): Result<string | undefined, CoseFailure> {
  if (value === undefined || (typeof value === 'string' && value.length <= MAX_KEY_ID)) {
    return ok(value);
  }
  if (!isBytes(value) || value.length > MAX_KEY_ID) {
    return notCose('key identifier');
  }
  try {
    return ok(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value));
  } catch {
    return notCose('key identifier');
  }
}

/** Sig_structure and MAC_structure without external data, RFC 9052 §4.4 and §6.3. */
function authenticated(context: string, header: Uint8Array, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(context);
  return Uint8Array.from([
    0x84,
    0x60 + name.length,
    ...name,
    ...bytesHead(header.length),
    ...header,
    0x40,
    ...bytesHead(payload.length),
    ...payload,
  ]);
}

/** Head of a byte string, RFC 8949 §3.1; none here is longer than a token. */
function bytesHead(length: number): readonly number[] {
  if (length < 24) {
    return [0x40 + length];
  }
  return length < 256 ? [0x58, length] : [0x59, length >> 8, length & 255];
}

function isBytes(value: unknown): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array && value.buffer instanceof ArrayBuffer;
}

function notCose(detail: string): Result<never, CoseFailure> {
  return fail({ reason: 'not-cose', detail });
}
