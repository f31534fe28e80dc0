/** Keys as administrators add them: public halves and shared secrets, never a private key. */

import { z } from 'zod';
import type { KeySource } from './key-source.ts';

const MAX_KEY_ID = 128;
const MAX_NAME = 256;
const MAX_URL = 2_048;
/** Characters of base64url for the 32 bytes that HS256 asks for at least (RFC 7518 §3.2). */
const MIN_SECRET_CHARACTERS = 43;
const MAX_SECRET_CHARACTERS = 1_024;
/** Characters of a modulus of 2048 bits, the least that RS256 may have (RFC 7518 §3.3), and of 8192. */
const MIN_MODULUS_CHARACTERS = 342;
const MAX_MODULUS_CHARACTERS = 1_366;

function base64url(min: number, max: number): z.ZodString {
  return z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/, 'is base64url without padding')
    .min(min)
    .max(max);
}

/** Who can change what travels between the edge and a list of keys can sign as its issuer. */
const SAFE_URL = /^(?:https:\/\/|http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost)[:/])/;

/** RFC 7518 §6.2.2, §6.3.2: members that only private keys have. */
const notPrivate = z.never('this is a private key: keep it, and give its public half').optional();
const coordinate = base64url(43, 43);
const name = z.string().min(1).max(MAX_NAME).optional();

const jwkFields = {
  kind: z.literal('jwk'),
  keyId: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'is printable ASCII without spaces')
    .max(MAX_KEY_ID),
  issuer: name,
  audience: name,
};
const jwkSchema = z.discriminatedUnion('algorithm', [
  z.strictObject({
    ...jwkFields,
    algorithm: z.literal('HS256'),
    jwk: z.object({ kty: z.literal('oct'), k: base64url(MIN_SECRET_CHARACTERS, MAX_SECRET_CHARACTERS) }),
  }),
  z.strictObject({
    ...jwkFields,
    algorithm: z.literal('ES256'),
    jwk: z.object({
      kty: z.literal('EC'),
      crv: z.literal('P-256'),
      x: coordinate,
      y: coordinate,
      d: notPrivate,
    }),
  }),
  z.strictObject({
    ...jwkFields,
    algorithm: z.literal('RS256'),
    jwk: z.object({
      kty: z.literal('RSA'),
      n: base64url(MIN_MODULUS_CHARACTERS, MAX_MODULUS_CHARACTERS),
      e: base64url(1, 8),
      d: notPrivate,
    }),
  }),
  z.strictObject({
    ...jwkFields,
    algorithm: z.literal('EdDSA'),
    jwk: z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate, d: notPrivate }),
  }),
]);

const jwksSchema = z.strictObject({
  kind: z.literal('jwks-url'),
  url: z.url().max(MAX_URL).regex(SAFE_URL, 'begins with https://, or with http:// on this machine alone'),
  algorithms: z
    .array(z.enum(['ES256', 'RS256', 'EdDSA']))
    .min(1)
    .max(3),
  issuer: z.string().min(1).max(MAX_NAME),
  audience: name,
});

/** One source of keys. */
export const keySourceSchema: z.ZodType<KeySource> = z
  .union([jwkSchema, jwksSchema])
  .transform((source): KeySource =>
    source.kind === 'jwk'
      ? { ...source, issuer: source.issuer, audience: source.audience }
      : { ...source, audience: source.audience },
  );

/** What a source is known by: a key's id, a list's URL. */
export function keySourceId(source: KeySource): string {
  return source.kind === 'jwk' ? source.keyId : source.url;
}

/** A source as it may be shown: without what signs. */
export function withoutSecret(source: KeySource): KeySource {
  return source.kind === 'jwk' && source.algorithm === 'HS256' ? { ...source, jwk: { kty: 'oct' } } : source;
}
