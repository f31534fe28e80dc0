/** What has to hold of every decision, checked for one random policy and place. */

import { decidePolicy } from '../decide-policy.ts';
import { parseIpAddress } from '../ip-address.ts';
import { parseIpPrefix } from '../ip-prefix.ts';
import type { Place } from '../place.ts';
import type { PolicyDecision, PolicyRule, StreamPolicy } from '../policy.ts';
import { randomPlace, randomPolicy, randomTime, shuffled } from './random-policy.ts';

/** Checks one random case and returns its decision; throws an error that shows the case. */
export function checkRandomPolicy(random: () => number): PolicyDecision {
  const policy = randomPolicy(random);
  const place = randomPlace(random);
  const now = randomTime(random);
  const decision = decidePolicy(policy, place, now);
  const failed = (property: string): Error =>
    new Error(`${property}: ${JSON.stringify({ policy, place, now, decision })}`);
  if (hasCertainDenial(policy, place, now) && decision.kind !== 'deny') {
    throw failed('deny wins');
  }
  const reordered = { ...policy, rules: shuffled(random, policy.rules) };
  if (JSON.stringify(decidePolicy(reordered, place, now)) !== JSON.stringify(decision)) {
    throw failed('order does not matter');
  }
  const isAllowListed = policy.rules.some(({ effect }) => effect === 'allow');
  const mayAllow = policy.rules.some((rule) => rule.effect === 'allow' && mayMatch(rule, place, now));
  if (isAllowListed && !mayAllow && decision.kind !== 'deny') {
    throw failed('denied by default where an allow list exists');
  }
  const ruled = policy.rules.flatMap((rule) =>
    rule.effect === 'limit' && certainlyMatches(rule, place, now) ? [rule.maxHeight ?? 0] : [],
  );
  if (decision.kind === 'allow' && (decision.maxHeight ?? Number.POSITIVE_INFINITY) > Math.min(...ruled)) {
    throw failed('every limit holds');
  }
  return decision;
}

function hasCertainDenial(policy: StreamPolicy, place: Place, now: number): boolean {
  return policy.rules.some((rule) => rule.effect === 'deny' && certainlyMatches(rule, place, now));
}

/** Written apart from the compiled form: lists are searched and ranges compared one by one. */
function certainlyMatches(rule: PolicyRule, place: Place, now: number): boolean {
  const { countries, continents, regions, asns, prefixes } = rule.match;
  return (
    isDuring(rule, now) &&
    includes(countries, place.country) &&
    includes(continents, place.continent) &&
    includes(regions, place.region) &&
    includes(asns, place.asn) &&
    (prefixes === undefined || prefixes.some((prefix) => covers(prefix, place.address)))
  );
}

/** As above, with everything that is not known taken for a match. */
function mayMatch(rule: PolicyRule, place: Place, now: number): boolean {
  const { countries, continents, regions, asns, prefixes } = rule.match;
  const isAddressKnown = place.address !== undefined && parseIpAddress(place.address) !== undefined;
  return (
    isDuring(rule, now) &&
    (place.country === undefined || includes(countries, place.country)) &&
    (place.continent === undefined || includes(continents, place.continent)) &&
    (place.region === undefined || includes(regions, place.region)) &&
    (place.asn === undefined || includes(asns, place.asn)) &&
    (!isAddressKnown || prefixes === undefined || prefixes.some((prefix) => covers(prefix, place.address)))
  );
}

function isDuring(rule: PolicyRule, now: number): boolean {
  return (rule.from === undefined || rule.from <= now) && (rule.until === undefined || now < rule.until);
}

function includes<T>(list: readonly T[] | undefined, value: T | undefined): boolean {
  return list === undefined || (value !== undefined && list.includes(value));
}

function covers(prefix: string, addressText: string | undefined): boolean {
  const range = parseIpPrefix(prefix);
  const address = parseIpAddress(addressText ?? '');
  return (
    range !== undefined &&
    address !== undefined &&
    range.first.length === address.length &&
    asNumber(range.first) <= asNumber(address) &&
    asNumber(address) <= asNumber(range.last)
  );
}

function asNumber(address: Uint32Array): bigint {
  return address.reduce((sum, word) => sum * 0x1_0000_0000n + BigInt(word), 0n);
}
