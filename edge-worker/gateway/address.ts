/**
 * The address of a request, taken apart as far as somebody asks. The runtime's `URL` costs a request as much as all
 * that authorization does, and a player's request, with its token in the path, needs none.
 */

/** What the gateway reads of an address; a `URL` is one. */
export type Address = Pick<
  URL,
  'href' | 'protocol' | 'hostname' | 'port' | 'pathname' | 'search' | 'searchParams'
>;

/**
 * Addresses whose path and query a `URL` would leave as they stand: without percent-encoding, and without segments
 * that begin with a dot.
 */
const PLAIN = /^https?:\/\/[^/?#\\@\s]+((?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+)(\?[A-Za-z0-9_=&.-]+)?$/;

/** Reads the address of a request; the path and query of a plain one without a `URL`. */
export function readAddress(href: string): Address {
  const plain = PLAIN.exec(href);
  return plain === null ? new URL(href) : new PlainAddress(href, plain[1] ?? '', plain[2] ?? '');
}

class PlainAddress implements Address {
  readonly href: string;
  readonly pathname: string;
  readonly search: string;
  #url: URL | undefined;

  constructor(href: string, pathname: string, search: string) {
    this.href = href;
    this.pathname = pathname;
    this.search = search;
  }

  get protocol(): string {
    return this.#parsed.protocol;
  }

  get hostname(): string {
    return this.#parsed.hostname;
  }

  get port(): string {
    return this.#parsed.port;
  }

  get searchParams(): URLSearchParams {
    return this.#parsed.searchParams;
  }

  get #parsed(): URL {
    this.#url ??= new URL(this.href);
    return this.#url;
  }
}
