/** Where a request came from, as far as it is known. */

/** A viewer's place; `undefined` where nobody told. */
export interface Place {
  /** ISO 3166-1 alpha-2. */
  readonly country: string | undefined;
  /** `AF`, `AN`, `AS`, `EU`, `NA`, `OC`, `SA`. */
  readonly continent: string | undefined;
  /** ISO 3166-2, such as `DE-BY`. */
  readonly region: string | undefined;
  readonly asn: number | undefined;
  /** The viewer's IP address in text, v4 or v6. */
  readonly address: string | undefined;
}
