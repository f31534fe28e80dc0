/** Policies in the form in which they are decided, made once for each policy object. */

import { ipPrefixSet, parseIpPrefix, type IpPrefixSet } from './ip-prefix.ts';
import type { PolicyDecision, PolicyRule, RuleMatch, StreamPolicy } from './policy.ts';

/** What a rule matches on, as sets. */
export interface CompiledMatch {
  readonly countries: ReadonlySet<string> | undefined;
  readonly continents: ReadonlySet<string> | undefined;
  readonly regions: ReadonlySet<string> | undefined;
  /** The countries of `regions`: elsewhere no region of theirs can be. */
  readonly regionCountries: ReadonlySet<string> | undefined;
  readonly asns: ReadonlySet<number> | undefined;
  readonly prefixes: IpPrefixSet | undefined;
}

/** A rule without its effect; it holds from `from` until before `until`. */
export interface CompiledRule {
  readonly match: CompiledMatch;
  readonly from: number;
  readonly until: number;
}

/** A policy, its rules by effect. */
export interface CompiledPolicy {
  readonly denies: readonly (CompiledRule & { readonly denial: PolicyDecision })[];
  readonly allows: readonly CompiledRule[];
  readonly limits: readonly (CompiledRule & { readonly maxHeight: number })[];
  /** An open question is answered against the viewer. */
  readonly openMeansDeny: boolean;
  /** Some rule asks for the address. */
  readonly asksAddress: boolean;
}

/** A snapshot's policies are immutable and go with it, and so does what was made of them. */
const compiled = new WeakMap<StreamPolicy, CompiledPolicy>();

/** Compiles a policy, or finds what was made of it before. */
export function compiledPolicy(policy: StreamPolicy): CompiledPolicy {
  const known = compiled.get(policy);
  if (known !== undefined) {
    return known;
  }
  const made = compile(policy);
  compiled.set(policy, made);
  return made;
}

function compile(policy: StreamPolicy): CompiledPolicy {
  // Of several rules that deny, the one with the smallest id is named, whatever their order.
  const rules = policy.rules.toSorted((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id)));
  const having = (effect: PolicyRule['effect']): PolicyRule[] =>
    rules.filter((rule) => rule.effect === effect);
  const allows = having('allow').map((rule) => compileRule(rule));
  const unknown = policy.unknownLocation ?? (allows.length > 0 ? 'deny' : 'allow');
  return {
    denies: having('deny').map((rule) => ({
      ...compileRule(rule),
      denial: { kind: 'deny', rule: rule.id },
    })),
    allows,
    limits: having('limit').flatMap((rule) =>
      rule.maxHeight === undefined ? [] : [{ ...compileRule(rule), maxHeight: rule.maxHeight }],
    ),
    openMeansDeny: unknown === 'deny',
    asksAddress: rules.some(({ match }) => match.prefixes !== undefined),
  };
}

function compileRule(rule: PolicyRule): CompiledRule {
  return {
    match: compileMatch(rule.match, rule.effect),
    from: rule.from ?? Number.NEGATIVE_INFINITY,
    until: rule.until ?? Number.POSITIVE_INFINITY,
  };
}

function compileMatch(match: RuleMatch, effect: PolicyRule['effect']): CompiledMatch {
  return {
    countries: setOf(match.countries),
    continents: setOf(match.continents),
    regions: setOf(match.regions),
    regionCountries: setOf(match.regions?.map((region) => region.slice(0, 2))),
    asns: setOf(match.asns),
    prefixes: match.prefixes === undefined ? undefined : compilePrefixes(match.prefixes, effect),
  };
}

/**
 * The schema lets no unreadable prefix in; should one come by another way, it allows nobody, and what it would deny
 * or limit is everybody, so that no mistake opens a stream.
 */
function compilePrefixes(texts: readonly string[], effect: PolicyRule['effect']): IpPrefixSet | undefined {
  const ranges = texts.map((text) => parseIpPrefix(text));
  if (effect !== 'allow' && ranges.includes(undefined)) {
    return undefined;
  }
  return ipPrefixSet(ranges.filter((range) => range !== undefined));
}

function setOf<T>(values: readonly T[] | undefined): ReadonlySet<T> | undefined {
  return values === undefined ? undefined : new Set(values);
}
