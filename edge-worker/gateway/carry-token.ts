/** How the token for what a player asks next travels: in the addresses it is given, or in a cookie. */

import type { StreamName } from '../../shared/identifiers.ts';
import type { Address } from './address.ts';
import { splitTokenPath, TOKEN_COOKIE, TOKEN_PARAMETER, type FoundToken } from './find-token.ts';
import type { UriParameter } from './rewrite-uri.ts';

/** A token and when it expires, Unix seconds. */
export interface DatedToken {
  readonly token: string;
  readonly expires: number;
}

/** What carries a token on from an answer. */
export interface Carriage {
  /** Parameters on every URI of the playlist. */
  readonly everywhere: readonly UriParameter[];
  /** Relative path before the URIs of a multivariant playlist. */
  readonly folder: string | undefined;
  /** `Set-Cookie`, RFC 6265 §4.1. */
  readonly cookie: string | undefined;
  /** `Content-Location`, RFC 9110 §8.7: where this playlist is found again with the session's own token. */
  readonly location: string | undefined;
}

/** Query parameter by which a player asks for the token in a cookie: `cookie=1`. */
const COOKIE_PARAMETER = 'cookie';
const NOTHING: Carriage = { everywhere: [], folder: undefined, cookie: undefined, location: undefined };

/** How a token in a playlist's query goes on, the playlist being one that starts no session. */
export function carryOn(found: FoundToken | undefined): Carriage {
  return found?.place === 'query' ? { ...NOTHING, everywhere: [[TOKEN_PARAMETER, found.token]] } : NOTHING;
}

/**
 * How the token goes on from a multivariant playlist. A session's token stands where the one that was found stood,
 * in a path where that was a header, which the player may go on sending: the path comes before it. A cookie is set
 * where one was found, or where the player asked for it and sends no header that would come before it.
 */
export function carryFromMultivariant(input: {
  readonly found: FoundToken;
  /** The token of the session that this request starts or renews. */
  readonly issued: DatedToken | undefined;
  /** When the grant of the token that was found ends, Unix seconds. */
  readonly expires: number;
  readonly stream: StreamName;
  readonly url: Pick<Address, 'pathname' | 'searchParams'>;
  readonly now: number;
}): Carriage {
  const { found, issued, stream, url, now } = input;
  const root = splitTokenPath(url.pathname).token === undefined ? '../../' : '../../../../';
  if (found.place === 'cookie' || (isCookieAsked(url) && found.place !== 'header')) {
    const token = issued ?? { token: found.token, expires: input.expires };
    const isNews = issued !== undefined || found.place !== 'cookie';
    return {
      ...NOTHING,
      folder: found.place === 'path' ? `${root}live/${stream}/` : undefined,
      cookie: isNews ? setCookie(token, stream, now) : undefined,
    };
  }
  if (issued === undefined) {
    return carryOn(found);
  }
  if (found.place === 'query') {
    const location = `index.m3u8?${TOKEN_PARAMETER}=${encodeURIComponent(issued.token)}`;
    return { ...NOTHING, everywhere: [[TOKEN_PARAMETER, issued.token]], location };
  }
  const folder = `${root}t/${issued.token}/live/${stream}/`;
  return { ...NOTHING, folder, location: `${folder}index.m3u8` };
}

function isCookieAsked(url: Pick<Address, 'searchParams'>): boolean {
  return url.searchParams.get(COOKIE_PARAMETER) === '1';
}

/** Third-party players get it too (`SameSite=None`), each top-level site one of its own (`Partitioned`). */
function setCookie({ token, expires }: DatedToken, stream: StreamName, now: number): string {
  const seconds = Math.max(1, Math.floor(expires - now));
  return `${TOKEN_COOKIE}=${token}; Path=/live/${stream}/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=None; Partitioned`;
}
