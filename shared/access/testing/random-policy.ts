/** Random policies and places out of small pools, so that rules often meet places; some of it is garbage. */

import type { Place } from '../place.ts';
import type { PolicyRule, RuleMatch, StreamPolicy } from '../policy.ts';

/** The time around which random rules begin and end, Unix seconds. */
const RANDOM_NOW = 1_800_000_000;
const WINDOW_SECONDS = 100;
const MAX_RULES = 6;
const MAX_LIST = 4;

const COUNTRIES = ['DE', 'FR', 'AT', 'US', 'GB', ''];
const CONTINENTS = ['EU', 'NA', 'AS'];
const REGIONS = ['DE-BY', 'DE-BE', 'FR-IDF', 'US-CA', '', 'D'];
const ASNS = [0, 3320, 15_169, 4_294_967_295];
const ADDRESSES = [
  '10.0.0.1',
  '10.1.2.3',
  '192.0.2.255',
  '255.255.255.255',
  '::ffff:10.0.0.1',
  '::FFFF:a00:1',
  '2001:db8::1',
  '2001:db8:ffff::',
  '::',
  'not an address',
  '1.2.3.4.5',
  ':::',
];
const PREFIXES = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.0.0.0/24',
  '10.0.0.1/32',
  '10.0.0.1',
  '::ffff:10.0.0.0/104',
  '192.0.2.0/24',
  '::/0',
  '2001:db8::/32',
  '2001:db8::/48',
  '2001:db8::1/128',
  '10.0.0.0/33',
  'garbage/',
];
const EFFECTS = ['allow', 'deny', 'limit'] as const;
const UNKNOWN = ['allow', 'deny', undefined] as const;

/** Numbers from 0 to below 1 that a seed determines (xorshift32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}

/** Makes a policy. */
export function randomPolicy(random: () => number): StreamPolicy {
  const count = Math.floor(random() * (MAX_RULES + 1));
  return {
    access: random() < 0.5 ? 'token' : 'public',
    rules: Array.from({ length: count }, (_, index) => randomRule(random, `r${index}`)),
    unknownLocation: pick(random, UNKNOWN),
  };
}

/** Makes a rule. */
function randomRule(random: () => number, id: string): PolicyRule {
  const effect = pick(random, EFFECTS);
  return {
    id,
    effect,
    match: randomMatch(random),
    from: maybe(random, 0.3, () => randomTime(random)),
    until: maybe(random, 0.3, () => randomTime(random)),
    maxHeight: effect === 'limit' ? Math.floor(random() * 2_000) + 1 : undefined,
  };
}

/** Makes a place of which some is not known. */
export function randomPlace(random: () => number): Place {
  return {
    country: maybe(random, 0.8, () => pick(random, COUNTRIES)),
    continent: maybe(random, 0.8, () => pick(random, CONTINENTS)),
    region: maybe(random, 0.6, () => pick(random, REGIONS)),
    asn: maybe(random, 0.8, () => pick(random, ASNS)),
    address: maybe(random, 0.8, () => pick(random, ADDRESSES)),
  };
}

/** Makes a time near the time of random rules. */
export function randomTime(random: () => number): number {
  return RANDOM_NOW + Math.floor((random() - 0.5) * 2 * WINDOW_SECONDS);
}

/** Puts a list in another order. */
export function shuffled<T>(random: () => number, list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function randomMatch(random: () => number): RuleMatch {
  return {
    countries: maybe(random, 0.3, () => some(random, COUNTRIES)),
    continents: maybe(random, 0.2, () => some(random, CONTINENTS)),
    regions: maybe(random, 0.2, () => some(random, REGIONS)),
    asns: maybe(random, 0.2, () => some(random, ASNS)),
    prefixes: maybe(random, 0.3, () => some(random, PREFIXES)),
  };
}

function some<T>(random: () => number, pool: readonly T[]): T[] {
  return Array.from({ length: Math.floor(random() * (MAX_LIST + 1)) }, () => pick(random, pool));
}

function maybe<T>(random: () => number, probability: number, make: () => T): T | undefined {
  return random() < probability ? make() : undefined;
}

function pick<T>(random: () => number, pool: readonly [T, ...T[]] | readonly T[]): T {
  const value = pool[Math.floor(random() * pool.length)];
  if (value === undefined && !pool.includes(value as T)) {
    throw new RangeError('a pool is never empty');
  }
  return value as T;
}
