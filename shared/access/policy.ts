/** The rules of streams: who may watch from where, when, and up to which picture. */

/** What a rule matches on; every list that is given has to contain the request's value, all of them together. */
export interface RuleMatch {
  /** ISO 3166-1 alpha-2. */
  readonly countries?: readonly string[] | undefined;
  /** `AF`, `AN`, `AS`, `EU`, `NA`, `OC`, `SA`. */
  readonly continents?: readonly string[] | undefined;
  /** ISO 3166-2, such as `DE-BY`. */
  readonly regions?: readonly string[] | undefined;
  readonly asns?: readonly number[] | undefined;
  /** CIDR prefixes, v4 or v6. */
  readonly prefixes?: readonly string[] | undefined;
}

/** One rule. A rule holds between `from` and `until` (Unix seconds) where they are given. */
export interface PolicyRule {
  readonly id: string;
  readonly effect: 'allow' | 'deny' | 'limit';
  readonly match: RuleMatch;
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  /** With `limit`: the largest picture height, luma samples. */
  readonly maxHeight?: number | undefined;
  /** Why, for the log and the audit. */
  readonly note?: string | undefined;
}

/** What holds for a stream. */
export interface StreamPolicy {
  /** `public`: no token is needed; rules still apply. */
  readonly access: 'token' | 'public';
  readonly rules: readonly PolicyRule[];
  /** What a place that is not known means; without it: `deny` where an `allow` rule exists, else `allow`. */
  readonly unknownLocation?: 'allow' | 'deny' | undefined;
}

/** The default, and what differs by stream: a stream's own policy stands in place of the default. */
export interface AccessPolicies {
  readonly default: StreamPolicy;
  readonly streams: Readonly<Record<string, StreamPolicy>>;
}

/** What a policy says of one request; `rule` names what denied it. */
export type PolicyDecision =
  | { readonly kind: 'allow'; readonly maxHeight: number | undefined }
  | { readonly kind: 'deny'; readonly rule: string };
