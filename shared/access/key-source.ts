/** Where the keys come from with which tokens are verified. */

/** Signature algorithms of tokens (RFC 7518 §3.1, RFC 8037). */
export type TokenAlgorithm = 'HS256' | 'ES256' | 'RS256' | 'EdDSA';

/** One key, or a URL that lists keys; tokens under it have to name `issuer` and `audience` where they are given. */
export type KeySource =
  | {
      readonly kind: 'jwk';
      readonly keyId: string;
      readonly algorithm: TokenAlgorithm;
      /** RFC 7517; a secret's `k` never leaves the edge again. */
      readonly jwk: Readonly<Record<string, unknown>>;
      readonly issuer: string | undefined;
      readonly audience: string | undefined;
    }
  | {
      readonly kind: 'jwks-url';
      readonly url: string;
      readonly algorithms: readonly Exclude<TokenAlgorithm, 'HS256'>[];
      readonly issuer: string;
      readonly audience: string | undefined;
    };
