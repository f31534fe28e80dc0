import { describe, expect, it } from 'vitest';
import { keySourceSchema } from './key-schema.ts';
import { accessPoliciesSchema, streamPolicySchema } from './policy-schema.ts';
import { revocationAt, revocationRequestSchema } from './revocation-schema.ts';

const NOW = 1_800_000_000;
const DAY = 86_400;

function readRule(rule: object): unknown {
  const policy = { access: 'token', rules: [{ id: 'r', effect: 'deny', match: {}, ...rule }] };
  const read = streamPolicySchema.safeParse(policy);
  return read.success ? read.data.rules[0] : read.error.issues.map(({ path }) => path.join('.')).join(' ');
}

describe('a rule', () => {
  it('is read with its times as Unix seconds', () => {
    const rule = { from: '2026-12-24T18:00:00+01:00', until: 1_798_135_200 };
    expect(readRule(rule)).toMatchObject({ from: 1_798_131_600, until: 1_798_135_200 });
  });

  it.each([
    [{ match: { country: ['DE'] } }, 'rules.0.match'],
    [{ match: { countries: ['UK'] } }, 'rules.0.match.countries.0'],
    [{ match: { countries: ['de'] } }, 'rules.0.match.countries.0'],
    [{ match: { countries: [] } }, 'rules.0.match.countries'],
    [{ match: { continents: ['XX'] } }, 'rules.0.match.continents.0'],
    [{ match: { regions: ['DE-BAYERN'] } }, 'rules.0.match.regions.0'],
    [{ match: { regions: ['ZZ-1'] } }, 'rules.0.match.regions.0'],
    [{ match: { asns: [-1] } }, 'rules.0.match.asns.0'],
    [{ match: { asns: [2 ** 32] } }, 'rules.0.match.asns.0'],
    [{ match: { prefixes: ['10.0.0.1/8'] } }, 'rules.0.match.prefixes.0'],
    [{ match: { prefixes: ['10.0.0.0/33'] } }, 'rules.0.match.prefixes.0'],
    [{ match: { prefixes: Array.from({ length: 1001 }, () => '::1') } }, 'rules.0.match.prefixes'],
    [{ maxHeight: 720 }, 'rules.0.maxHeight'],
    [{ effect: 'limit' }, 'rules.0.maxHeight'],
    [{ from: 2, until: 2 }, 'rules.0.until'],
    [{ from: NOW * 1_000 }, 'rules.0.from'],
    [{ from: '2026-12-24 18:00' }, 'rules.0.from'],
    [{ id: 'a b' }, 'rules.0.id'],
    [{ note: 'x'.repeat(501) }, 'rules.0.note'],
  ])('%j is refused, and where', (rule, where) => {
    expect(readRule(rule)).toBe(where);
  });
});

it('a policy has at most 200 rules, each with an id of its own', () => {
  const policy = (ids: readonly string[]): unknown => ({
    access: 'public',
    rules: ids.map((id) => ({ id, effect: 'allow', match: {} })),
  });
  const ids = Array.from({ length: 200 }, (_, index) => `r${index}`);
  expect(streamPolicySchema.safeParse(policy(ids)).success).toBe(true);
  expect(streamPolicySchema.safeParse(policy([...ids, 'more'])).success).toBe(false);
  expect(streamPolicySchema.safeParse(policy(['a', 'a'])).success).toBe(false);
});

it('policies are for streams by their names', () => {
  const policies = (stream: string): unknown => ({
    default: { access: 'token', rules: [] },
    streams: JSON.parse(`{"${stream}": {"access": "token", "rules": []}}`),
  });
  expect(accessPoliciesSchema.safeParse(policies('constructor')).success).toBe(true);
  expect(accessPoliciesSchema.parse(policies('__proto__')).streams).toEqual({});
  expect(accessPoliciesSchema.safeParse(policies('News')).success).toBe(false);
});

describe('a key', () => {
  const x = 'x'.repeat(43);
  const es256 = { kind: 'jwk', keyId: 'k', algorithm: 'ES256', jwk: { kty: 'EC', crv: 'P-256', x, y: x } };
  it('is read, what a JSON Web Key has beyond it left out', () => {
    const given = { ...es256, jwk: { ...es256.jwk, use: 'sig', kid: 'k' } };
    expect(keySourceSchema.parse(given)).toEqual({ ...es256, issuer: undefined, audience: undefined });
  });

  it.each([
    ['a private key', { ...es256, jwk: { ...es256.jwk, d: x } }],
    ['another curve', { ...es256, jwk: { ...es256.jwk, crv: 'P-384' } }],
    ['a key of another algorithm', { ...es256, algorithm: 'HS256' }],
    ['no algorithm', { ...es256, algorithm: 'none' }],
    ['a short secret', { kind: 'jwk', keyId: 'k', algorithm: 'HS256', jwk: { kty: 'oct', k: 'c2hvcnQ' } }],
    [
      'a list that anybody on the way can change',
      { kind: 'jwks-url', url: 'http://issuer.example/jwks', algorithms: ['ES256'], issuer: 'i' },
    ],
    [
      'a list of secrets',
      { kind: 'jwks-url', url: 'https://issuer.example/jwks', algorithms: ['HS256'], issuer: 'i' },
    ],
  ])('is not %s', (_name, key) => {
    expect(keySourceSchema.safeParse(key).success).toBe(false);
  });
});

describe('a revocation', () => {
  it('of a viewer holds for what was issued up to now, of a token or a session however it is dated', () => {
    const of = (kind: string): unknown => revocationAt(revocationRequestSchema.parse({ kind, id: 'x' }), NOW);
    expect(of('viewer')).toEqual({ kind: 'viewer', id: 'x', issuedUpTo: NOW, until: NOW + 30 * DAY });
    expect(of('session')).toMatchObject({ issuedUpTo: NOW + 30 * DAY });
    expect(of('token')).toMatchObject({ issuedUpTo: NOW + 30 * DAY });
  });

  it('is kept at most 400 days', () => {
    expect(revocationAt({ kind: 'token', id: 'x', until: NOW * 2 }, NOW).until).toBe(NOW + 400 * DAY);
  });
});
