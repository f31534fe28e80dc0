/** JSON Web Tokens: JWS compact serialisation (RFC 7515 §7.1) under the key that they name. */

import { compactVerify, errors } from 'jose';
import { readGrant } from '../../../shared/access/claims.ts';
import type { Denial } from '../../../shared/access/denial.ts';
import type { TokenAlgorithm } from '../../../shared/access/key-source.ts';
import { fail, ok, type Result } from '../../../shared/result.ts';
import { decodeBase64url } from './base64url.ts';
import { readJsonObject } from './json-object.ts';
import type { KeyRing } from './key-ring.ts';
import { checkParty } from './party.ts';
import type { KeyContext } from './verification-key.ts';
import { unknownKey, usableKey, type Verified } from './verified.ts';

interface Header {
  readonly algorithm: TokenAlgorithm;
  readonly keyId: string | undefined;
}

const ALGORITHMS: readonly TokenAlgorithm[] = ['HS256', 'ES256', 'RS256', 'EdDSA'];
/** RFC 8725 §3.11: a token that says it is of another type is none of these. */
const TYPES: readonly unknown[] = [undefined, 'jwt', 'at+jwt', 'application/jwt', 'application/at+jwt'];
/** Members that change how a token is to be read; Rill knows none of them. `jku`, `jwk` and `x5c` are not looked at. */
const REFUSED_MEMBERS = ['crit', 'cty', 'zip', 'b64', 'enc'];
const MAX_KEY_ID = 256;

/** Verifies a token that has dots. */
export async function verifyJwt(
  token: string,
  ring: KeyRing,
  context: KeyContext,
): Promise<Result<Verified, Denial>> {
  const [headerText = '', payloadText = '', signature = '', ...rest] = token.split('.');
  const isWhole = rest.length === 0 && decodeBase64url(signature) !== undefined;
  const header = isWhole ? readHeader(headerText) : malformed('not three parts of base64url');
  if (!header.ok) {
    return header;
  }
  const { algorithm, keyId } = header.value;
  const issuer = (): unknown => readPart(payloadText)?.['iss'];
  const search = await ring.find({ algorithm, keyId, issuer }, context);
  const key = search.kind === 'found' ? await usableKey(search.key) : unknownKey(search, algorithm);
  if (!key.ok) {
    return key;
  }
  const forged = await checkSignature(token, key.value.imported, algorithm);
  if (forged !== undefined) {
    return fail(forged);
  }
  const claims = readPart(payloadText);
  if (claims === undefined) {
    return malformed('payload is no JSON object, or has a member twice');
  }
  const denial = checkParty(key.value.key, { issuer: claims['iss'], audience: claims['aud'] });
  const grant = denial === undefined ? readGrant(claims) : fail(denial);
  return grant.ok ? ok({ grant: grant.value, key: key.value.key }) : grant;
}

function readHeader(text: string): Result<Header, Denial> {
  const header = readPart(text);
  if (header === undefined) {
    return malformed('header is no JSON object, or has a member twice');
  }
  const algorithm = ALGORITHMS.find((name) => name === header['alg']);
  if (algorithm === undefined) {
    return fail({ reason: 'token-forged', detail: 'alg is not allowed' });
  }
  const type = header['typ'];
  if (!TYPES.includes(typeof type === 'string' ? type.toLowerCase() : type)) {
    return malformed('typ is not JWT');
  }
  const refused = REFUSED_MEMBERS.find((member) => member in header);
  if (refused !== undefined) {
    return malformed(`header has ${refused}`);
  }
  const keyId = header['kid'];
  if (keyId !== undefined && (typeof keyId !== 'string' || keyId.length > MAX_KEY_ID)) {
    return malformed('kid is no short text');
  }
  return ok({ algorithm, keyId });
}

async function checkSignature(
  token: string,
  key: CryptoKey,
  algorithm: TokenAlgorithm,
): Promise<Denial | undefined> {
  try {
    await compactVerify(token, key, { algorithms: [algorithm] });
    return undefined;
  } catch (error) {
    if (error instanceof errors.JOSEError) {
      const reason = error instanceof errors.JWSInvalid ? 'token-malformed' : 'token-forged';
      return { reason, detail: error.code };
    }
    throw error;
  }
}

function readPart(text: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = decodeBase64url(text);
  return bytes === undefined ? undefined : readJsonObject(bytes);
}

function malformed(detail: string): Result<never, Denial> {
  return fail({ reason: 'token-malformed', detail });
}
