/** Claims of a Common Access Token (CTA-5007-B §4.6 to §4.9) and their reading as a {@link Grant}. */

import { fail, ok, type Result } from '../../result.ts';
import type { Denial } from '../denial.ts';
import type { Grant } from '../grant.ts';
import { readActions } from './cat-if.ts';
import { CAT_LABELS } from './cat-labels.ts';
import type { CatLimits } from './cat-limits.ts';
import { readNetworks } from './cat-networks.ts';
import { readMatchRules } from './match-rule.ts';
import { URI_COMPONENTS } from './uri-component.ts';

/** Claims by label. */
type Claims = ReadonlyMap<unknown, unknown>;

/** Elements of a list that a recipient has to process, CTA-5007-B §4.6.11; more are refused. */
const MAX_LIST = 50;
const MAX_PLACES = 250;
const MAX_NAME = 256;
/** Header fields that one token may ask for. */
const MAX_HEADERS = 16;
/** Last second of the year 9999. */
const LAST_SECOND = 253_402_300_799;
const LABELS: ReadonlySet<unknown> = new Set(Object.values(CAT_LABELS));
/** ISO 3166-1 alpha-2 or ISO 3166-2. */
const PLACE = /^[A-Z]{2}(?:-[A-Z0-9]{1,3})?$/;

/** A claim that is not of its form; becomes a denial before it leaves this file. */
class ClaimError extends Error {
  readonly code = 'cat-claim';
}

/**
 * Reads verified claims as a grant. A claim that Rill does not know is refused: it may be a limit. `sub`, `iat` and
 * `catifdata` inform (§4.7); `catr` offers a renewal, which nobody has to take.
 */
export function readCatGrant(claims: unknown): Result<Grant, Denial> {
  try {
    if (!(claims instanceof Map)) {
      throw new ClaimError('claims are no map');
    }
    return ok(grantOf(claims));
  } catch (error) {
    if (error instanceof ClaimError) {
      return fail({ reason: 'token-malformed', detail: error.message });
    }
    throw error;
  }
}

function grantOf(claims: Claims): Grant {
  for (const label of claims.keys()) {
    if (!LABELS.has(label)) {
      throw new ClaimError(
        `claim ${typeof label === 'number' ? label : 'that is not a number'} is not known`,
      );
    }
  }
  const version = claims.get(CAT_LABELS.catv);
  if (version !== undefined && version !== 1) {
    throw new ClaimError('catv is not 1');
  }
  const expires = readTime(claims, 'exp');
  if (expires === undefined) {
    throw new ClaimError('exp is missing');
  }
  const tokenId = readTokenId(claims.get(CAT_LABELS.cti));
  const replay = readReplay(claims.get(CAT_LABELS.catreplay), tokenId);
  const viewer = readText(claims, 'sub');
  return {
    tokenId,
    issuer: readText(claims, 'iss'),
    // Reuse is seen by the viewer's sessions; a token without a viewer is its own.
    viewer: replay === 2 ? (viewer ?? `cti:${tokenId}`) : viewer,
    scopes: ['play'],
    // What it opens is for `catu` to say.
    streams: ['*'],
    notBefore: readTime(claims, 'nbf'),
    issuedAt: readTime(claims, 'iat'),
    expires,
    area: { countries: undefined, regions: undefined, asns: undefined, prefixes: undefined },
    maxHeight: undefined,
    maxBitrate: undefined,
    sessions: replay === 2 ? { limit: 1, loser: 'newest' } : undefined,
    timeShift: undefined,
    session: undefined,
    cat: readLimits(claims, replay === 1),
  };
}

function readLimits(claims: Claims, singleUse: boolean): CatLimits {
  const networks = claims.get(CAT_LABELS.catnip);
  return {
    uri: readUri(claims.get(CAT_LABELS.catu)),
    methods: readList(claims, 'catm', readToken, MAX_LIST),
    protocols: readList(claims, 'catalpn', readProtocol, MAX_LIST),
    headers: readHeaders(claims.get(CAT_LABELS.cath)),
    networks: networks === undefined ? undefined : required('catnip', readNetworks(networks)),
    places: readList(claims, 'catgeoiso3166', readPlace, MAX_PLACES),
    singleUse,
    actions: readCatIf(claims.get(CAT_LABELS.catif)),
  };
}

function readUri(value: unknown): CatLimits['uri'] {
  return readRules('catu', value, (label) =>
    typeof label === 'number' ? URI_COMPONENTS[label] : undefined,
  ).map(([component, rules]) => ({ component, rules }));
}

function readHeaders(value: unknown): CatLimits['headers'] {
  const headers = readRules('cath', value, (name) =>
    typeof name === 'string' && /^[\w!#$%&'*+.^`|~-]{1,64}$/.test(name) ? name.toLowerCase() : undefined,
  );
  if (headers.length > MAX_HEADERS) {
    throw new ClaimError(`cath names more than ${MAX_HEADERS} headers`);
  }
  return headers.map(([name, rules]) => ({ name, rules }));
}

function readRules<T>(
  claim: string,
  value: unknown,
  readName: (name: unknown) => T | undefined,
): readonly (readonly [T, CatLimits['headers'][number]['rules']])[] {
  if (value === undefined) {
    return [];
  }
  if (!(value instanceof Map)) {
    throw new ClaimError(`${claim} is no map`);
  }
  return [...value].map(([key, matches]) => {
    const rules = readMatchRules(matches);
    if (!rules.ok) {
      throw new ClaimError(`${claim}: ${rules.failure.detail}`);
    }
    return [required(claim, readName(key)), rules.value];
  });
}

function readCatIf(value: unknown): CatLimits['actions'] {
  const actions = value === undefined ? undefined : readActions(value);
  if (actions?.ok === false) {
    throw new ClaimError(`catif: ${actions.failure.detail}`);
  }
  return actions?.value ?? [];
}

function readList(
  claims: Claims,
  claim: keyof typeof CAT_LABELS,
  read: (entry: unknown) => string | undefined,
  longest: number,
): readonly string[] | undefined {
  const value: unknown = claims.get(CAT_LABELS[claim]);
  if (value === undefined) {
    return undefined;
  }
  if (!Array.isArray(value) || value.length > longest) {
    throw new ClaimError(`${claim} is no list of at most ${longest}`);
  }
  return value.map((entry: unknown) => required(claim, read(entry)));
}

function readToken(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= MAX_NAME ? value : undefined;
}

/** Protocols are bytes (RFC 7301 §3.1); text is read as well. */
function readProtocol(value: unknown): string | undefined {
  return value instanceof Uint8Array ? String.fromCharCode(...value.slice(0, MAX_NAME)) : readToken(value);
}

function readPlace(value: unknown): string | undefined {
  const place = typeof value === 'string' ? value.toUpperCase() : '';
  return PLACE.test(place) ? place : undefined;
}

function readTime(claims: Claims, claim: 'exp' | 'nbf' | 'iat'): number | undefined {
  const value = claims.get(CAT_LABELS[claim]);
  if (value === undefined) {
    return undefined;
  }
  return required(claim, typeof value === 'number' && value >= 0 && value <= LAST_SECOND ? value : undefined);
}

function readText(claims: Claims, claim: 'iss' | 'sub'): string | undefined {
  const value = claims.get(CAT_LABELS[claim]);
  if (value === undefined) {
    return undefined;
  }
  return required(claim, typeof value === 'string' && value.length <= MAX_NAME ? value : undefined);
}

/** Token ids are bytes; by hexadecimal digits they are known, and revoked. */
function readTokenId(value: unknown): string | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (!(value instanceof Uint8Array) || value.length === 0 || value.length > MAX_NAME / 2) {
    throw new ClaimError('cti is no byte string of fitting length');
  }
  return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** `catreplay`, CTA-5007-B §4.6.6: 0 permitted, 1 prohibited, 2 reuse is to be detected. */
function readReplay(value: unknown, tokenId: string | undefined): 0 | 1 | 2 {
  if (value === undefined || value === 0) {
    return 0;
  }
  if ((value !== 1 && value !== 2) || tokenId === undefined) {
    throw new ClaimError('catreplay is not 0, or 1 or 2 with a cti');
  }
  return value;
}

function required<T>(claim: string, value: T | undefined): T {
  if (value === undefined) {
    throw new ClaimError(`${claim} is not of its form`);
  }
  return value;
}
