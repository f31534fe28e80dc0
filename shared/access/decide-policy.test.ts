import { describe, expect, it } from 'vitest';
import { decidePolicy, NO_ALLOW_RULE, streamPolicy } from './decide-policy.ts';
import type { Place } from './place.ts';
import type { PolicyDecision, PolicyRule, StreamPolicy } from './policy.ts';
import { checkRandomPolicy } from './testing/policy-properties.ts';
import { seededRandom } from './testing/random-policy.ts';

const NOW = 1_800_000_000;
const RANDOM_CASES = 3_000;

const MUNICH: Place = {
  country: 'DE',
  continent: 'EU',
  region: 'DE-BY',
  asn: 3320,
  address: '198.51.100.7',
};
const NOWHERE: Place = {
  country: undefined,
  continent: undefined,
  region: undefined,
  asn: undefined,
  address: undefined,
};

const allowed: PolicyDecision = { kind: 'allow', maxHeight: undefined };
const notAllowed: PolicyDecision = { kind: 'deny', rule: NO_ALLOW_RULE };

function policy(
  rules: readonly Omit<PolicyRule, 'id'>[],
  unknownLocation?: StreamPolicy['unknownLocation'],
): StreamPolicy {
  return {
    access: 'token',
    rules: rules.map((rule, index) => ({ id: `rule-${index + 1}`, ...rule })),
    unknownLocation,
  };
}

function allow(match: PolicyRule['match'], window: Partial<PolicyRule> = {}): Omit<PolicyRule, 'id'> {
  return { effect: 'allow', match, ...window };
}

function deny(match: PolicyRule['match'], window: Partial<PolicyRule> = {}): Omit<PolicyRule, 'id'> {
  return { effect: 'deny', match, ...window };
}

function limit(maxHeight: number, match: PolicyRule['match']): Omit<PolicyRule, 'id'> {
  return { effect: 'limit', maxHeight, match };
}

function denied(rule: string): PolicyDecision {
  return { kind: 'deny', rule };
}

const here = { countries: ['DE'] };
const elsewhere = { countries: ['US'] };

describe('truth table: does an allow rule match, a deny rule, and what is decided', () => {
  it.each<[string, readonly Omit<PolicyRule, 'id'>[], PolicyDecision]>([
    ['no rule', [], allowed],
    ['allow matches', [allow(here)], allowed],
    ['allow does not', [allow(elsewhere)], notAllowed],
    ['deny matches', [deny(here)], denied('rule-1')],
    ['deny does not', [deny(elsewhere)], allowed],
    ['allow matches, deny matches', [allow(here), deny(here)], denied('rule-2')],
    ['allow matches, deny does not', [allow(here), deny(elsewhere)], allowed],
    ['allow does not, deny matches', [allow(elsewhere), deny(here)], denied('rule-2')],
    ['allow does not, deny does not', [allow(elsewhere), deny(elsewhere)], notAllowed],
    ['one of two allows matches', [allow(elsewhere), allow(here)], allowed],
    ['an empty match is everywhere', [deny({})], denied('rule-1')],
    ['an empty list is nowhere', [allow({ countries: [] })], notAllowed],
  ])('%s', (_name, rules, decision) => {
    expect(decidePolicy(policy(rules), MUNICH, NOW)).toEqual(decision);
  });
});

describe('truth table: each list, whether it has the place, does not, or the place is not known', () => {
  const lists = [
    ['country', { countries: ['DE', 'AT'] }, { countries: ['FR'] }],
    ['continent', { continents: ['EU'] }, { continents: ['AS'] }],
    ['ISO 3166-2 region', { regions: ['DE-BY'] }, { regions: ['DE-BE'] }],
    ['autonomous system', { asns: [3320] }, { asns: [15_169] }],
    ['v4 prefix', { prefixes: ['198.51.100.0/24'] }, { prefixes: ['203.0.113.0/24', '::/0'] }],
  ] as const;
  it.each(lists)('%s', (_name, has, hasNot) => {
    expect(decidePolicy(policy([allow(has)]), MUNICH, NOW)).toEqual(allowed);
    expect(decidePolicy(policy([allow(hasNot)]), MUNICH, NOW)).toEqual(notAllowed);
    expect(decidePolicy(policy([deny(has)]), MUNICH, NOW)).toEqual(denied('rule-1'));
    expect(decidePolicy(policy([deny(hasNot)]), MUNICH, NOW)).toEqual(allowed);
    expect(decidePolicy(policy([limit(720, has)]), MUNICH, NOW)).toEqual({ kind: 'allow', maxHeight: 720 });
    expect(decidePolicy(policy([limit(720, hasNot)]), MUNICH, NOW)).toEqual(allowed);
  });

  it.each(lists)('%s not known: denied where an allow list exists, else allowed', (_name, has) => {
    expect(decidePolicy(policy([allow(has)]), NOWHERE, NOW)).toEqual(notAllowed);
    expect(decidePolicy(policy([deny(has)]), NOWHERE, NOW)).toEqual(allowed);
    expect(decidePolicy(policy([deny(has), allow({})]), NOWHERE, NOW)).toEqual(denied('rule-1'));
    expect(decidePolicy(policy([limit(720, has)]), NOWHERE, NOW)).toEqual(allowed);
  });

  it.each(lists)('%s not known, as the policy says', (_name, has) => {
    expect(decidePolicy(policy([allow(has)], 'allow'), NOWHERE, NOW)).toEqual(allowed);
    expect(decidePolicy(policy([allow(has)], 'deny'), NOWHERE, NOW)).toEqual(notAllowed);
    expect(decidePolicy(policy([deny(has)], 'allow'), NOWHERE, NOW)).toEqual(allowed);
    expect(decidePolicy(policy([deny(has)], 'deny'), NOWHERE, NOW)).toEqual(denied('rule-1'));
    expect(decidePolicy(policy([limit(720, has)], 'deny'), NOWHERE, NOW)).toEqual({
      kind: 'allow',
      maxHeight: 720,
    });
  });
});

describe('what is known of a place', () => {
  it('decides alone where one list certainly does not have it', () => {
    const match = { countries: ['US'], regions: ['US-CA'] };
    expect(decidePolicy(policy([deny(match)], 'deny'), { ...NOWHERE, country: 'DE' }, NOW)).toEqual(allowed);
  });

  it('answers for the region where the country has none of those listed', () => {
    const match = { regions: ['DE-BY'] };
    expect(decidePolicy(policy([deny(match)], 'deny'), { ...NOWHERE, country: 'FR' }, NOW)).toEqual(allowed);
    expect(decidePolicy(policy([deny(match)], 'deny'), { ...NOWHERE, country: 'DE' }, NOW)).toEqual(
      denied('rule-1'),
    );
  });

  it('does not include an address that is none', () => {
    const rules = [allow({ prefixes: ['0.0.0.0/0', '::/0'] })];
    expect(decidePolicy(policy(rules), { ...MUNICH, address: '1.2.3.4, 5.6.7.8' }, NOW)).toEqual(notAllowed);
  });

  it('sees one client behind both forms of an IPv4-mapped address', () => {
    const rules = [deny({ prefixes: ['198.51.100.0/24'] })];
    const place = { ...MUNICH, address: '::ffff:198.51.100.7' };
    expect(decidePolicy(policy(rules), place, NOW)).toEqual(denied('rule-1'));
  });
});

describe('a rule with a time window', () => {
  const blackout = { from: NOW, until: NOW + 60 };
  it('denies from its first second until before its last', () => {
    const rules = policy([deny(here, blackout)]);
    const at = (time: number): string => decidePolicy(rules, MUNICH, time).kind;
    expect([at(NOW - 1), at(NOW), at(NOW + 59), at(NOW + 60)]).toEqual(['allow', 'deny', 'deny', 'allow']);
  });

  it('that allows is a licence: nobody watches before and after it', () => {
    const rules = policy([allow(here, blackout)]);
    const at = (time: number): string => decidePolicy(rules, MUNICH, time).kind;
    expect([at(NOW - 1), at(NOW), at(NOW + 60)]).toEqual(['deny', 'allow', 'deny']);
  });
});

it('holds every limit that matches: the smallest height', () => {
  const rules = policy([limit(1080, {}), limit(480, here), limit(240, elsewhere)]);
  expect(decidePolicy(rules, MUNICH, NOW)).toEqual({ kind: 'allow', maxHeight: 480 });
});

it('lets no unreadable prefix open a stream', () => {
  expect(decidePolicy(policy([allow({ prefixes: ['x'] })]), MUNICH, NOW)).toEqual(notAllowed);
  expect(decidePolicy(policy([deny({ prefixes: ['x'] })]), MUNICH, NOW)).toEqual(denied('rule-1'));
});

it("takes a stream's own policy in place of the default, never an object's own property", () => {
  const policies = { default: policy([deny({})]), streams: { news: policy([]) } };
  expect(streamPolicy(policies, 'news')).toBe(policies.streams.news);
  expect(streamPolicy(policies, 'constructor')).toBe(policies.default);
});

it('deny wins, order does not matter, limits hold, for random policies and places', () => {
  const random = seededRandom(20_261_122);
  const kinds = new Set<string>();
  for (let index = 0; index < RANDOM_CASES; index += 1) {
    kinds.add(checkRandomPolicy(random).kind);
  }
  expect([...kinds].sort()).toEqual(['allow', 'deny']);
});
