/** Tokens of another implementation, `@eyevinn/cat`: claims as it writes them, honoured as they are meant. */

import { CAT } from '@eyevinn/cat';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseStreamName, type StreamName } from '../../../shared/identifiers.ts';
import { checkGrant } from '../../../shared/access/check-grant.ts';
import type { Denial } from '../../../shared/access/denial.ts';
import type { Place } from '../../../shared/access/place.ts';
import type { RequestFacts } from '../../../shared/access/request-facts.ts';
import { makeKey, makeVerifier, NOW, type IssuerKey } from './testing/issuer.ts';

type Claims = Parameters<CAT['generateFromJson']>[0];

const PLACE: Place = { country: 'DE', continent: 'EU', region: 'DE-BY', asn: 64_500, address: '192.0.2.7' };
const REQUEST = {
  url: new URL('https://edge.example/live/show/360p/index.m3u8?_HLS_msn=4'),
  method: 'GET',
  headers: { 'user-agent': 'Player/1.0' },
  alpn: 'h2',
};
let key: IssuerKey;

beforeAll(async () => {
  key = await makeKey('HS256', 'ours', { issuer: 'eyevinn' });
});

/** Issues a token elsewhere, and tells what a use of it here ends with. */
async function use(
  claims: Claims,
  asked: Partial<typeof REQUEST> & {
    readonly place?: Partial<Place>;
    readonly now?: number;
    readonly claimed?: boolean;
  } = {},
): Promise<string> {
  const outcome = await outcomeOf(claims, asked);
  return outcome === undefined ? 'granted' : outcome.reason;
}

async function outcomeOf(claims: Claims, asked: Parameters<typeof use>[1] = {}): Promise<Denial | undefined> {
  const { verifier, context } = makeVerifier([key.source]);
  const verified = await verifier.verify(await issue(claims), context);
  if (!verified.ok) {
    return verified.failure;
  }
  const { place, now = NOW, claimed = false, ...rest } = asked;
  const request = { ...REQUEST, ...rest };
  const facts: RequestFacts = { ...request, header: (name) => new Headers(request.headers).get(name) };
  const checked = checkGrant({
    ...{ grant: verified.value, stream: show(), now, claimed },
    ...{ place: { ...PLACE, ...place }, request: facts },
  });
  return checked.ok ? undefined : checked.failure;
}

async function issue(claims: Claims): Promise<string> {
  const issuer = new CAT({ keys: { ours: Buffer.from(Uint8Array.from(signing())) }, expectCwtTag: true });
  const options = { type: 'mac', alg: 'HS256', kid: 'ours', generateCwtId: true } as const;
  return (await issuer.generateFromJson({ iss: 'eyevinn', exp: NOW + 60, ...claims }, options)) ?? '';
}

function signing(): Uint8Array {
  return key.signing instanceof Uint8Array ? key.signing : new Uint8Array();
}

function show(): StreamName {
  const name = parseStreamName('show');
  if (!name.ok) {
    throw new Error(name.failure.expected);
  }
  return name.value;
}

describe('a token of @eyevinn/cat', () => {
  it('is accepted', async () => {
    expect(await use({ sub: 'viewer', iat: NOW })).toBe('granted');
  });

  it('of another issuer is refused', async () => {
    expect(await use({ iss: 'someone' })).toBe('wrong-issuer');
  });

  it('holds from nbf until exp to the second, clock differences not forgiven', async () => {
    expect(await use({ nbf: NOW })).toBe('granted');
    expect(await use({ nbf: NOW + 1 })).toBe('token-not-yet-valid');
    expect(await use({ exp: NOW + 10 }, { now: NOW + 9 })).toBe('granted');
    expect(await use({ exp: NOW + 10 }, { now: NOW + 10 })).toBe('token-expired');
  });

  it('with catu opens the addresses that fit it alone', async () => {
    const path = (match: Record<string, unknown>): Claims => ({ catu: { path: match } });
    expect(await use(path({ 'prefix-match': '/live/show/' }))).toBe('granted');
    expect(await use(path({ 'prefix-match': '/live/other/' }))).toBe('other-request');
    expect(await use({ catu: { host: { 'exact-match': 'edge.example' } } })).toBe('granted');
    expect(await use({ catu: { host: { 'exact-match': 'evil.example' } } })).toBe('other-request');
    expect(await use({ catu: { extension: { 'exact-match': '.m3u8' } } })).toBe('granted');
    expect(await use(path({ 'regex-match': ['^/live/[a-z]+/'] }))).toBe('granted');
    expect(await use(path({ 'regex-match': ['^/vod/'] }))).toBe('other-request');
    expect(await use(path({ 'regex-match': ['^(a+)+$'] }))).toBe('token-malformed');
    expect(await use(path({ 'sha256-match': 'ab' }))).toBe('token-malformed');
  });

  it('with catm allows its methods alone', async () => {
    expect(await use({ catm: ['GET', 'HEAD'] })).toBe('granted');
    expect(await use({ catm: ['POST'] })).toBe('other-request');
  });

  it('with catalpn allows its protocols alone, and none without TLS', async () => {
    expect(await use({ catalpn: ['h2', 'h3'] })).toBe('granted');
    expect(await use({ catalpn: ['h3'] })).toBe('other-request');
    expect(await use({ catalpn: ['h2'] }, { alpn: undefined })).toBe('other-request');
  });

  it('with cath needs the header', async () => {
    const claims = { cath: { 'User-Agent': { 'prefix-match': 'Player/' } } };
    expect(await use(claims)).toBe('granted');
    expect(await use(claims, { headers: { 'user-agent': 'curl' } })).toBe('other-request');
    expect(await use({ cath: { 'x-key': { 'exact-match': '' } } })).toBe('other-request');
  });

  it('with catnip holds from its addresses, prefixes and autonomous systems', async () => {
    expect(await use({ catnip: ['192.0.2.7'] })).toBe('granted');
    expect(await use({ catnip: ['192.0.2.0/24'] }, { place: { address: '::ffff:192.0.2.9' } })).toBe(
      'granted',
    );
    expect(await use({ catnip: ['198.51.100.0/24', 64_500] })).toBe('granted');
    expect(await use({ catnip: ['198.51.100.0/24', 64_501] })).toBe('location-blocked');
    expect(await use({ catnip: ['2001:db8::/32'] }, { place: { address: '2001:db8::1' } })).toBe('granted');
    expect(await use({ catnip: ['2001:db8::/32'] }, { place: { address: '2001:db9::1' } })).toBe(
      'location-blocked',
    );
    expect(await use({ catnip: ['192.0.2.7'] }, { place: { address: undefined } })).toBe('location-blocked');
  });

  it('with catgeoiso3166 holds from its countries and regions', async () => {
    expect(await use({ catgeoiso3166: ['FR', 'DE'] })).toBe('granted');
    expect(await use({ catgeoiso3166: ['US', 'DE-BY'] })).toBe('granted');
    expect(await use({ catgeoiso3166: ['US', 'DE-BE'] })).toBe('location-blocked');
  });

  it('with catreplay 1 opens nothing but what it was given up for', async () => {
    expect(await use({ catreplay: 0 })).toBe('granted');
    expect(await use({ catreplay: 1 })).toBe('other-request');
    expect(await use({ catreplay: 1 }, { claimed: true })).toBe('granted');
  });

  it('of another version is refused', async () => {
    expect(await use({ catv: 2 })).toBe('token-malformed');
  });

  it('says with catif how its expiry is answered', async () => {
    const claims = {
      exp: NOW + 10,
      catif: { exp: [307, { Location: 'https://issuer.example/renew' }] },
    };
    expect(await outcomeOf(claims, { now: NOW + 11 })).toMatchObject({
      reason: 'token-expired',
      action: { status: 307, headers: [['location', 'https://issuer.example/renew']] },
    });
  });

  it.each([
    { exp: [200, {}] },
    { exp: [307, { 'Set-Cookie': 'a=b' }] },
    { exp: [307, { Location: 'javascript:alert(1)' }] },
    { exp: [307, { Location: 'https://a.example/\r\nSet-Cookie: a=b' }] },
    { exp: [307, { Location: ['https://a.example/?t=', { iss: 'x' }] }, 'ours'] },
  ])('with a catif that the edge does not take on, %j, is refused', async (catif) => {
    expect(await use({ catif })).toBe('token-malformed');
  });

  it.each(['catpor', 'geohash', 'catgeocoord'])(
    'with %s, which is not honoured, is refused',
    async (claim) => {
      expect(await use({ [claim]: [1] })).toBe('token-malformed');
    },
  );
});
