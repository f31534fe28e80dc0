/**
 * Decides what a stream's policy says of a request: a pure function over policy, place and time.
 *
 * A rule matches, does not match, or stays open because the place is not known well enough; an open question is
 * answered for or against the viewer by the policy's `unknownLocation`. Any `deny` wins. Where `allow` rules exist,
 * one of them has to match, in its time window: before and after a licence nobody watches. All `limit` rules that
 * match hold. So the order of rules never matters.
 */

import { compiledPolicy, type CompiledMatch, type CompiledRule } from './compiled-policy.ts';
import { hasIpAddress } from './ip-prefix.ts';
import { parseIpAddress, type IpAddress } from './ip-address.ts';
import type { Place } from './place.ts';
import type { AccessPolicies, PolicyDecision, StreamPolicy } from './policy.ts';

/** What denied a request that no `allow` rule matches; no rule can have this id. */
export const NO_ALLOW_RULE = '(no allow rule)';
const NOT_ALLOWED: PolicyDecision = { kind: 'deny', rule: NO_ALLOW_RULE };

/** Whether a rule matches; open: not enough is known of the place. */
type Answer = 'yes' | 'no' | 'open';

/** The policy that holds for a stream: its own in place of the default. */
export function streamPolicy(policies: AccessPolicies, stream: string): StreamPolicy {
  // A stream may be named like a property that every object has.
  const own = Object.hasOwn(policies.streams, stream) ? policies.streams[stream] : undefined;
  return own ?? policies.default;
}

/** Where a request came from, its address as it is compared. */
interface Origin {
  readonly place: Place;
  readonly address: IpAddress | undefined;
}

/** Decides; `now` is Unix seconds. The policy is compiled on its first use. */
export function decidePolicy(policy: StreamPolicy, place: Place, now: number): PolicyDecision {
  const compiled = compiledPolicy(policy);
  const address =
    compiled.asksAddress && place.address !== undefined ? parseIpAddress(place.address) : undefined;
  const from: Origin = { place, address };
  for (const rule of compiled.denies) {
    if (holds(rule, now) && means(answerTo(rule.match, from), compiled.openMeansDeny)) {
      return rule.denial;
    }
  }
  const isAllowed = (rule: CompiledRule): boolean =>
    holds(rule, now) && means(answerTo(rule.match, from), !compiled.openMeansDeny);
  if (compiled.allows.length > 0 && !compiled.allows.some(isAllowed)) {
    return NOT_ALLOWED;
  }
  let maxHeight: number | undefined;
  for (const rule of compiled.limits) {
    if (
      (maxHeight === undefined || rule.maxHeight < maxHeight) &&
      holds(rule, now) &&
      means(answerTo(rule.match, from), compiled.openMeansDeny)
    ) {
      maxHeight = rule.maxHeight;
    }
  }
  return { kind: 'allow', maxHeight };
}

function holds(rule: CompiledRule, now: number): boolean {
  return now >= rule.from && now < rule.until;
}

function means(answer: Answer, openMeansYes: boolean): boolean {
  return answer === 'yes' || (answer === 'open' && openMeansYes);
}

/** Every list that is given has to contain the place's value; one that certainly does not decides alone. */
function answerTo(match: CompiledMatch, { place, address }: Origin): Answer {
  let answer = contains(match.countries, place.country);
  if (answer !== 'no') {
    answer = both(answer, contains(match.continents, place.continent));
  }
  if (answer !== 'no') {
    answer = both(answer, contains(match.asns, place.asn));
  }
  if (answer !== 'no') {
    answer = both(answer, containsRegion(match, place));
  }
  return answer === 'no' ? 'no' : both(answer, containsAddress(match, address));
}

function both(a: Answer, b: Answer): Answer {
  return a === 'yes' || b === 'no' ? b : a;
}

function contains<T>(list: ReadonlySet<T> | undefined, value: T | undefined): Answer {
  if (list === undefined) {
    return 'yes';
  }
  if (value === undefined) {
    return 'open';
  }
  return list.has(value) ? 'yes' : 'no';
}

/** A country without any of the listed regions answers for the region that is not known. */
function containsRegion(match: CompiledMatch, { region, country }: Place): Answer {
  return region === undefined && country !== undefined && match.regionCountries?.has(country) === false
    ? 'no'
    : contains(match.regions, region);
}

function containsAddress({ prefixes }: CompiledMatch, address: IpAddress | undefined): Answer {
  if (prefixes === undefined) {
    return 'yes';
  }
  if (address === undefined) {
    return 'open';
  }
  return hasIpAddress(prefixes, address) ? 'yes' : 'no';
}
