/** The analytics token: from the address's fragment or typed in, kept in this tab's session storage, sent to this edge alone. */

const KEY = 'rill-analytics-token';

/** Takes a token out of the address, where `#token=…` never reaches a server, and cleans the address. */
export function takeTokenFromAddress(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token === null) {
    return;
  }
  keepToken(token);
  history.replaceState(null, '', location.pathname + location.search);
}

/** Pattern of every stream's name. */
const EVERY_STREAM = '*';

/** The token of this tab. */
export function currentToken(): string | undefined {
  return sessionStorage.getItem(KEY) ?? undefined;
}

/** The one stream that the token is for, as it says itself; the edge judges it. */
export function tokenStream(): string | undefined {
  const payload = currentToken()?.split('.')[1] ?? '';
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    const isObject = typeof claims === 'object' && claims !== null;
    const stream = isObject && 'stream' in claims ? claims.stream : undefined;
    return typeof stream === 'string' && stream !== EVERY_STREAM ? stream : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a token for this tab. */
export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, printable(token));
}

/** Forgets the token. */
export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
}

/** A header takes no other characters, and a token has none. */
function printable(text: string): string {
  return text.replaceAll(/[^!-~]/g, '');
}
