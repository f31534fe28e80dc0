/** Common Access Tokens (CTA-5007-B §4.3): CBOR Web Tokens in COSE_Mac0 or COSE_Sign1, base64url in HTTP. */

import { readCatGrant } from '../../../shared/access/cat/cat-claims.ts';
import { CAT_LABELS } from '../../../shared/access/cat/cat-labels.ts';
import { readCbor } from '../../../shared/access/cat/cbor.ts';
import { readCose, type CoseMessage } from '../../../shared/access/cat/cose.ts';
import type { Denial } from '../../../shared/access/denial.ts';
import { fail, ok, type Result } from '../../../shared/result.ts';
import { decodeBase64url } from './base64url.ts';
import type { KeyRing } from './key-ring.ts';
import { checkParty } from './party.ts';
import type { KeyContext } from './verification-key.ts';
import { unknownKey, usableKey, type Verified } from './verified.ts';

/** CTA-5007-B §4.3.1.1: padding may be there. */
const PADDING = /={1,2}$/;
/** Parameters of WebCrypto; both signatures are 64 or 32 bytes, which it checks. */
const PARAMETERS = { HS256: { name: 'HMAC' }, ES256: { name: 'ECDSA', hash: 'SHA-256' } } as const;

/** Verifies a token without dots. */
export async function verifyCat(
  token: string,
  ring: KeyRing,
  context: KeyContext,
): Promise<Result<Verified, Denial>> {
  const message = readMessage(token);
  if (!message.ok) {
    return message;
  }
  const { algorithm, keyId, payload } = message.value;
  const issuer = (): unknown => readClaims(payload)?.get(CAT_LABELS.iss);
  const search = await ring.find({ algorithm, keyId, issuer }, context);
  const key = search.kind === 'found' ? await usableKey(search.key) : unknownKey(search, algorithm);
  if (!key.ok) {
    return key;
  }
  const { signature, signed } = message.value;
  if (!(await crypto.subtle.verify(PARAMETERS[algorithm], key.value.imported, signature, signed))) {
    return fail({ reason: 'token-forged', detail: 'signature' });
  }
  const claims = readClaims(payload);
  if (claims === undefined) {
    return fail({ reason: 'token-malformed', detail: 'claims are no CBOR map' });
  }
  const denial = checkParty(key.value.key, {
    issuer: claims.get(CAT_LABELS.iss),
    audience: claims.get(CAT_LABELS.aud),
  });
  const grant = denial === undefined ? readCatGrant(claims) : fail(denial);
  return grant.ok ? ok({ grant: grant.value, key: key.value.key }) : grant;
}

function readMessage(token: string): Result<CoseMessage, Denial> {
  const bytes = decodeBase64url(token.length % 4 === 0 ? token.replace(PADDING, '') : token);
  if (bytes === undefined) {
    return fail({ reason: 'token-malformed', detail: 'neither JWT nor base64url' });
  }
  const message = readCose(bytes);
  return message.ok ? message : fail({ reason: 'token-malformed', detail: message.failure.detail });
}

function readClaims(payload: Uint8Array): ReadonlyMap<unknown, unknown> | undefined {
  const claims = readCbor(payload);
  return claims.ok && claims.value instanceof Map ? claims.value : undefined;
}
