/** Which headers a proxy before a self-hosted edge vouches for; nothing else says there where a request came from. */

/** Names of headers that the proxy sets on each request, or removes where it has nothing to say. */
export interface TrustedHeaders {
  /** Holds the viewer's address, or a list to whose end each proxy adds the address that it was asked from. */
  readonly address?: string | undefined;
  /** Proxies that add to that list: the address is so many places from its end. 1 unless given. */
  readonly hops?: number | undefined;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string | undefined;
  /** `AF`, `AN`, `AS`, `EU`, `NA`, `OC`, `SA`. */
  readonly continent?: string | undefined;
  /** ISO 3166-2, with or without the country before it. */
  readonly region?: string | undefined;
  /** Number of the autonomous system, with or without `AS` before it. */
  readonly asn?: string | undefined;
}
