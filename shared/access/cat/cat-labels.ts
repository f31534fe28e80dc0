/** Labels of the claims of a Common Access Token, from the registry of CBOR Web Token claims (RFC 8392 §9.1). */

/** The claims that Rill reads; tokens with others are refused. */
export const CAT_LABELS = {
  iss: 1,
  sub: 2,
  aud: 3,
  exp: 4,
  nbf: 5,
  iat: 6,
  cti: 7,
  catreplay: 308,
  catv: 310,
  catnip: 311,
  catu: 312,
  catm: 313,
  catalpn: 314,
  cath: 315,
  catgeoiso3166: 316,
  catifdata: 320,
  catif: 322,
  catr: 323,
} as const;
