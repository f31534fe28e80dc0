/** Runs in workerd for `policy-cost.ts`: `/{case}/{count}` decides so often and answers how many were allowed. */

import { decidePolicy } from '../shared/access/decide-policy.ts';
import { findRevocation } from '../edge-worker/access/revocation-check.ts';
import type { Place } from '../shared/access/place.ts';
import type { PolicyRule, StreamPolicy } from '../shared/access/policy.ts';

const ENTRIES = 200;
const REVOCATIONS = 10_000;
const NOW = 1_800_000_000;
const V4: Place = { country: 'DE', continent: 'EU', region: 'DE-BY', asn: 3320, address: '198.51.100.7' };
const V6: Place = { ...V4, address: '2001:db8:1234::5678' };

const indexes = Array.from({ length: ENTRIES }, (_, index) => index);

function policy(rules: readonly PolicyRule[]): StreamPolicy {
  return { access: 'token', rules };
}

function rule(id: string, match: PolicyRule['match'], effect: PolicyRule['effect'] = 'deny'): PolicyRule {
  return { id, effect, match };
}

const prefixes = [
  ...indexes.slice(0, ENTRIES / 2).map((index) => `10.${index}.0.0/16`),
  ...indexes.slice(0, ENTRIES / 2).map((index) => `2001:db8:${index.toString(16)}::/48`),
];
const oneRule = policy([
  rule('licence', { countries: ['DE', 'AT', 'CH'] }, 'allow'),
  rule('networks', { prefixes }),
]);
const manyCountries = policy(indexes.map((index) => rule(`r${index}`, { countries: [`X${index}`] })));
const manyPrefixes = policy(prefixes.map((prefix, index) => rule(`r${index}`, { prefixes: [prefix] })));
const mixed = policy(
  indexes.map((index) => ({
    ...rule(`r${index}`, { countries: ['DE'], asns: [index], prefixes: prefixes.slice(index, index + 1) }),
    from: NOW - 100,
    until: NOW + 100,
  })),
);
const revocations = Array.from({ length: REVOCATIONS }, (_, index) => ({
  kind: 'viewer' as const,
  id: `viewer-${index}`,
  issuedUpTo: NOW,
  until: NOW + 100,
}));

const cases: Readonly<Record<string, () => boolean>> = {
  'one rule of 200 prefixes, v4': () => decidePolicy(oneRule, V4, NOW).kind === 'allow',
  'one rule of 200 prefixes, v6': () => decidePolicy(oneRule, V6, NOW).kind === 'allow',
  '200 rules by country': () => decidePolicy(manyCountries, V4, NOW).kind === 'allow',
  '200 rules by prefix, v4': () => decidePolicy(manyPrefixes, V4, NOW).kind === 'allow',
  '200 rules by prefix, v6': () => decidePolicy(manyPrefixes, V6, NOW).kind === 'allow',
  '200 rules by all three, timed': () => decidePolicy(mixed, V4, NOW).kind === 'allow',
  '10,000 revocations': () =>
    findRevocation({ tokenId: 'a', session: 'b', viewer: 'c', issuedAt: NOW }, revocations, NOW) ===
    undefined,
};

const worker = {
  async fetch(request: Request): Promise<Response> {
    const [, name = '', count = '0'] = new URL(request.url).pathname.split('/').map(decodeURIComponent);
    if (name === 'cases') {
      return Response.json(Object.keys(cases));
    }
    const decide = cases[name] ?? ((): boolean => true);
    let allowed = 0;
    for (let index = 0; index < Number(count); index += 1) {
      allowed += decide() ? 1 : 0;
    }
    return new Response(String(allowed));
  },
};

// The Workers runtime finds a Worker by its default export.
// oxlint-disable-next-line import/no-default-export
export default worker;
