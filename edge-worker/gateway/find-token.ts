/** Where a viewer's token travels, and the path that remains without it. */

import type { Address } from './address.ts';

/** Where a token was found; a path or query token has to stay with every URI that the player asks for next. */
type TokenPlace = 'path' | 'query' | 'header' | 'cookie';

/** A token as found in a request, not yet verified. */
export interface FoundToken {
  readonly place: TokenPlace;
  readonly token: string;
}

/** Query parameter of a token. */
export const TOKEN_PARAMETER = 'token';
/** Cookie of a token. */
export const TOKEN_COOKIE = 'rill_token';
/** Header of a Common Access Token, CTA-5007. */
const CAT_HEADER = 'cta-common-access-token';

const TOKEN_PATH = /^\/t\/([^/]+)(\/.*)$/;
const BEARER = /^bearer +(\S+) *$/i;

/** Splits `/t/{token}/live/…` into the token and the path behind it; other paths come back whole. */
export function splitTokenPath(path: string): { readonly token: string | undefined; readonly path: string } {
  const match = TOKEN_PATH.exec(path);
  return { token: match?.[1], path: match?.[2] ?? path };
}

/**
 * Finds the one token that counts: path before query before `Authorization` before `CTA-Common-Access-Token` before
 * cookie, and in each place the first. A bad token is not replaced by a good one from a later place, so a player's
 * URL says alone what it may do.
 */
export function findToken(
  request: Request,
  url: Pick<Address, 'pathname' | 'search' | 'searchParams'>,
): FoundToken | undefined {
  const inPath = splitTokenPath(url.pathname).token;
  if (inPath !== undefined) {
    return { place: 'path', token: inPath };
  }
  const inQuery = url.search === '' ? '' : (url.searchParams.get(TOKEN_PARAMETER) ?? '');
  if (inQuery !== '') {
    return { place: 'query', token: inQuery };
  }
  const { headers } = request;
  const inHeader = BEARER.exec(headers.get('authorization') ?? '')?.[1] ?? headers.get(CAT_HEADER) ?? '';
  if (inHeader !== '') {
    return { place: 'header', token: inHeader };
  }
  const inCookie = readCookie(headers.get('cookie') ?? '', TOKEN_COOKIE) ?? '';
  return inCookie === '' ? undefined : { place: 'cookie', token: inCookie };
}

/** Reads a cookie's value, RFC 6265 §4.2. */
function readCookie(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const [key, value] = pair.trim().split('=', 2);
    if (key === name) {
      return value;
    }
  }
  return undefined;
}
