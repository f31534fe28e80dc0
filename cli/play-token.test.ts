import { jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';
import { seconds } from '#shared/media-time.ts';
import { checkGrant, readGrant } from '#shared/access/claims.ts';
import { playClaims, signPlayToken } from './play-token.ts';

const SECRET = 'a-secret-of-the-test-and-of-nothing-else';
const NOW = 1_800_000_000.5;

test('a token is signed with HS256 and becomes the grant that was asked for', async () => {
  const stream = name('cam1');
  const token = await signPlayToken(
    { stream, ttl: seconds(300), now: NOW, viewer: 'v', countries: ['DE', 'FR'], maxHeight: 480 },
    SECRET,
  );
  const { payload } = await jwtVerify(token, new TextEncoder().encode(SECRET), {
    algorithms: ['HS256'],
    currentDate: new Date(NOW * 1000),
  });
  expect(readGrant(payload)).toEqual({
    ok: true,
    value: {
      viewer: 'v',
      stream,
      notBefore: undefined,
      expires: 1_800_000_300,
      countries: ['DE', 'FR'],
      maxHeight: 480,
    },
  });
});

test('a token without limits has no claim of any', () => {
  expect(playClaims({ stream: name('cam1'), ttl: seconds(60), now: NOW })).toEqual({
    stream: 'cam1',
    iat: 1_800_000_000,
    exp: 1_800_000_060,
  });
});

test('a token opens its own stream only', () => {
  const grant = readGrant(playClaims({ stream: name('cam1'), ttl: seconds(60), now: NOW }));
  if (!grant.ok) {
    throw new Error(grant.failure.reason);
  }
  const ask = (stream: string): boolean =>
    checkGrant({ grant: grant.value, stream: name(stream), country: undefined, now: NOW }).ok;
  expect([ask('cam1'), ask('cam2')]).toEqual([true, false]);
});

function name(text: string): StreamName {
  const parsed = parseStreamName(text);
  if (!parsed.ok) {
    throw new Error(text);
  }
  return parsed.value;
}
