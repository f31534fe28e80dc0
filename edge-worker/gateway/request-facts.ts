/** What a token may ask of a viewer's request, told without the token. */

import type { RequestFacts } from '../../shared/access/request-facts.ts';
import type { Address } from './address.ts';
import { splitTokenPath, TOKEN_PARAMETER } from './find-token.ts';

/** ALPN protocols (RFC 7301, RFC 9113 §3.1, RFC 9114 §3.1) by what the platform calls them. */
const PROTOCOLS: ReadonlyMap<unknown, string> = new Map([
  ['HTTP/1.0', 'http/1.0'],
  ['HTTP/1.1', 'http/1.1'],
  ['HTTP/2', 'h2'],
  ['HTTP/3', 'h3'],
]);

/** Tells the facts of a request; `url` is its address, token included. */
export function requestFacts(request: Request, url: Address): RequestFacts {
  const { protocol, hostname, port } = url;
  return {
    url: {
      protocol,
      hostname,
      port,
      pathname: splitTokenPath(url.pathname).path,
      search: withoutToken(url.search),
    },
    method: request.method,
    header: (name) => request.headers.get(name),
    alpn: isSecure(request) ? PROTOCOLS.get(request.cf?.['httpProtocol']) : undefined,
  };
}

function isSecure(request: Request): boolean {
  const version: unknown = request.cf?.['tlsVersion'];
  return typeof version === 'string' && version !== '';
}

function withoutToken(search: string): string {
  const parameters = search.slice(1).split('&');
  const rest = parameters.filter((parameter) => parameter.split('=', 1)[0] !== TOKEN_PARAMETER);
  return rest.join('&') === '' ? '' : `?${rest.join('&')}`;
}
