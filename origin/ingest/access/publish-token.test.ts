import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseStreamName } from '#shared/identifiers.ts';
import type { PublishClaim, PublishDecider, PublishDecision } from './publish-decision.ts';
import { createTokenDecider, type PublishTokenKey } from './publish-token.ts';

/** Tokens are made for the real time, since jose reads the clock itself. */
const NOW = Math.floor(Date.now() / 1000);
const SECRET = new Uint8Array(32).fill(7);
const HS256: PublishTokenKey = {
  keyId: 'shared',
  algorithm: 'HS256',
  jwk: { kty: 'oct', k: Buffer.from(SECRET).toString('base64url') },
  issuer: 'cms',
};
const CLAIMS = { iss: 'cms', stream: 'cam', scope: 'publish', exp: NOW + 60 };

let pair: Awaited<ReturnType<typeof generateKeyPair>>;
let decider: PublishDecider;

beforeAll(async () => {
  pair = await generateKeyPair('ES256', { extractable: true });
  const ES256: PublishTokenKey = {
    keyId: 'pair',
    algorithm: 'ES256',
    jwk: { ...(await exportJWK(pair.publicKey)) },
    audience: 'rill',
  };
  decider = await createTokenDecider([HS256, ES256], Date.now);
});

function hs256(claims: JWTPayload, kid: string | undefined = 'shared', key = SECRET): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', ...(kid && { kid }) }).sign(key);
}

async function decide(credential: string, stream = 'cam'): Promise<PublishDecision> {
  return decider.decide(claim(credential, stream));
}

function claim(credential: string, stream = 'cam'): PublishClaim {
  const name = parseStreamName(stream);
  if (!name.ok) {
    throw new Error(stream);
  }
  return { stream: name.value, protocol: 'srt', credential, address: '203.0.113.9' };
}

describe('a publish token', () => {
  it('admits to its stream, and the second time at once', async () => {
    const token = await hs256(CLAIMS);
    expect(await decide(token)).toEqual({ kind: 'allowed' });
    expect(decider.decide(claim(token))).toEqual({ kind: 'allowed' });
    expect(decider.decide(claim(token, 'other'))).toEqual({ kind: 'refused', detail: 'token: other-stream' });
  });

  it('admits under a public key, to streams of a pattern, from its network', async () => {
    const claims = { aud: 'rill', streams: ['cam*'], scope: 'play publish', prefix: ['203.0.113.0/24'] };
    const token = await new SignJWT({ ...claims, exp: NOW + 60 })
      .setProtectedHeader({ alg: 'ES256', kid: 'pair' })
      .sign(pair.privateKey);
    expect(await decide(token, 'cam7')).toEqual({ kind: 'allowed' });
  });

  it.each<[string, () => Promise<string>]>([
    ['a playback token', () => hs256({ ...CLAIMS, scope: 'play' })],
    ['a token without scope', () => hs256({ iss: 'cms', stream: 'cam', exp: NOW + 60 })],
    ['an expired token', () => hs256({ ...CLAIMS, exp: NOW - 60 })],
    ['a token that is not valid yet', () => hs256({ ...CLAIMS, nbf: NOW + 30 })],
    ['a token without expiry', () => hs256({ iss: 'cms', stream: 'cam', scope: 'publish' })],
    ['a token of another issuer', () => hs256({ ...CLAIMS, iss: 'other' })],
    ['a token for a country, which is not known here', () => hs256({ ...CLAIMS, country: ['DE'] })],
    ['a token from another network', () => hs256({ ...CLAIMS, prefix: ['198.51.100.0/24'] })],
    ['a token under another key', () => hs256(CLAIMS, 'shared', new Uint8Array(32).fill(8))],
    ['a token under the name of a key of another algorithm', () => hs256(CLAIMS, 'pair')],
    ['a token that names no key where there are several', () => hs256(CLAIMS, '')],
    ['a token under an unknown key', () => hs256(CLAIMS, '../../etc/passwd')],
    ['an unsecured token', async () => new UnsecuredJWT(CLAIMS).encode()],
    ['a token cut short', async () => (await hs256(CLAIMS)).slice(0, -2)],
    ['no token', async () => ''],
    ['three dots', async () => '...'],
    ['garbage in three parts', async () => 'e30.e30.e30'],
    ['a token beyond all length', async () => `${'a'.repeat(5000)}.a.a`],
  ])('is refused: %s', async (_, make) => {
    expect(await decide(await make())).toMatchObject({ kind: 'refused' });
  });

  it('is not decided over keys that cannot be used, which are named', async () => {
    const short = { ...HS256, jwk: { kty: 'oct', k: 'c2hvcnQ' } };
    await expect(createTokenDecider([short], Date.now)).rejects.toThrow('"shared" cannot be used');
    const secret = { ...(await exportJWK(pair.privateKey)) };
    const privateKey: PublishTokenKey = { keyId: 'mine', algorithm: 'ES256', jwk: secret };
    await expect(createTokenDecider([privateKey], Date.now)).rejects.toThrow('private key');
  });
});
