/** What a token may ask of the request that carries it. */

/** What `URL` tells of an address. */
export interface UrlParts {
  /** With its colon. */
  readonly protocol: string;
  readonly hostname: string;
  /** Empty where it is the protocol's own. */
  readonly port: string;
  readonly pathname: string;
  /** With its question mark, or empty. */
  readonly search: string;
}

/** A viewer's request as its issuer would write it down: without the token. */
export interface RequestFacts {
  /** The address asked for; path and query hold no token. */
  readonly url: UrlParts;
  readonly method: string;
  /** Gives a header field's value, `null` where there is none; several lines are joined by ", " (RFC 9110 §5.2). */
  readonly header: (name: string) => string | null;
  /** Protocol negotiated in the TLS handshake, such as `h2`; `undefined` without TLS or where nobody told. */
  readonly alpn: string | undefined;
}
