import { jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';
import { seconds } from '#shared/media-time.ts';
import { checkGrant } from '#shared/access/check-grant.ts';
import { readGrant } from '#shared/access/claims.ts';
import { playClaims, signPlayToken } from './play-token.ts';

const SECRET = 'a-secret-of-the-test-and-of-nothing-else';
const NOW = 1_800_000_000.5;
const NOWHERE = {
  country: undefined,
  continent: undefined,
  region: undefined,
  asn: undefined,
  address: undefined,
};

test('a token is signed with HS256 and becomes the grant that was asked for', async () => {
  const token = await signPlayToken(
    {
      stream: 'cam-*',
      ttl: seconds(300),
      now: NOW,
      tokenId: 't1',
      viewer: 'v',
      scopes: ['play', 'analytics'],
      countries: ['DE', 'FR'],
      regions: ['DE-BY'],
      asns: [64_500],
      prefixes: ['2001:db8::/32'],
      maxHeight: 480,
      maxBitrate: 2_000_000,
      sessions: { limit: 2, loser: 'newest' },
      timeShift: seconds(30),
    },
    SECRET,
  );
  const { payload } = await jwtVerify(token, new TextEncoder().encode(SECRET), {
    algorithms: ['HS256'],
    currentDate: new Date(NOW * 1000),
  });
  expect(readGrant(payload)).toEqual({
    ok: true,
    value: {
      tokenId: 't1',
      issuer: undefined,
      viewer: 'v',
      scopes: ['play', 'analytics'],
      streams: ['cam-*'],
      notBefore: 1_800_000_000,
      issuedAt: 1_800_000_000,
      expires: 1_800_000_300,
      area: {
        countries: ['DE', 'FR'],
        regions: ['DE-BY'],
        asns: [64_500],
        prefixes: ['2001:db8::/32'],
      },
      maxHeight: 480,
      maxBitrate: 2_000_000,
      sessions: { limit: 2, loser: 'newest' },
      timeShift: 30,
      session: undefined,
    },
  });
});

test('a token without limits has no claim of any', () => {
  expect(playClaims({ stream: 'cam1', ttl: seconds(60), now: NOW })).toEqual({
    stream: 'cam1',
    iat: 1_800_000_000,
    exp: 1_800_000_060,
  });
});

test('a token opens its own stream only', () => {
  const grant = readGrant(playClaims({ stream: 'cam1', ttl: seconds(60), now: NOW }));
  if (!grant.ok) {
    throw new Error(grant.failure.reason);
  }
  const ask = (stream: string): boolean =>
    checkGrant({ grant: grant.value, stream: name(stream), place: NOWHERE, now: NOW }).ok;
  expect([ask('cam1'), ask('cam2')]).toEqual([true, false]);
});

function name(text: string): StreamName {
  const parsed = parseStreamName(text);
  if (!parsed.ok) {
    throw new Error(text);
  }
  return parsed.value;
}
