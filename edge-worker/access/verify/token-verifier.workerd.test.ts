import { base64url } from 'jose';
import { describe, expect, it } from 'vitest';
import type { KeySource, TokenAlgorithm } from '../../../shared/access/key-source.ts';
import {
  makeKey,
  makeVerifier,
  NOW,
  PLAY_SECRET,
  signCat,
  signJwt,
  type IssuerKey,
} from './testing/issuer.ts';

const ALGORITHMS: readonly TokenAlgorithm[] = ['HS256', 'ES256', 'RS256', 'EdDSA'];
const PLAY_KEY = {
  algorithm: 'HS256',
  signing: new TextEncoder().encode(PLAY_SECRET),
  keyId: undefined,
} as const;

async function reasonOf(keys: readonly KeySource[], token: string): Promise<string> {
  const { verifier, context } = makeVerifier(keys);
  const result = await verifier.verify(token, context);
  return result.ok ? 'granted' : result.failure.reason;
}

function withHeader(token: string, header: object): string {
  return [base64url.encode(JSON.stringify(header)), ...token.split('.').slice(1)].join('.');
}

describe('a JSON Web Token', () => {
  it.each(ALGORITHMS)('is verified with %s under the key that it names', async (algorithm) => {
    const key = await makeKey(algorithm, 'k1');
    const { verifier, context } = makeVerifier([key.source]);
    const result = await verifier.verify(await signJwt(key, { jti: 't', sub: 'v', iat: NOW }), context);
    expect(result).toMatchObject({
      ok: true,
      value: { tokenId: 't', viewer: 'v', issuedAt: NOW, streams: ['show'] },
    });
  });

  it.each(ALGORITHMS)(
    'is forged where its %s signature is of another key with the same name',
    async (algorithm) => {
      const [ours, theirs] = [await makeKey(algorithm, 'k1'), await makeKey(algorithm, 'k1')];
      expect(await reasonOf([ours.source], await signJwt(theirs))).toBe('token-forged');
    },
  );

  it('is forged where the public key is used as a secret', async () => {
    const key = await makeKey('RS256', 'k1');
    const secret = new TextEncoder().encode(JSON.stringify(key.source.jwk));
    const confused: IssuerKey = { ...key, algorithm: 'HS256', signing: secret };
    expect(await reasonOf([key.source], await signJwt(confused))).toBe('token-forged');
  });

  it.each(['none', 'None', 'HS512', 'ES384', 'PS256', '', 5, null])(
    'is forged where its alg is %j',
    async (alg) => {
      const key = await makeKey('HS256', 'k1');
      const token = withHeader(await signJwt(key), { alg, kid: 'k1' });
      expect(await reasonOf([key.source], token)).toBe('token-forged');
      expect(await reasonOf([key.source], `${token.split('.').slice(0, 2).join('.')}.`)).toBe('token-forged');
    },
  );

  it('is malformed where its header has what changes its reading', async () => {
    const key = await makeKey('HS256', 'k1');
    const token = await signJwt(key);
    const headers = [
      { crit: ['exp'] },
      { b64: false },
      { cty: 'JWT' },
      { zip: 'DEF' },
      { typ: 'dpop+jwt' },
      { kid: 7 },
    ];
    for (const header of headers) {
      expect(await reasonOf([key.source], withHeader(token, { alg: 'HS256', kid: 'k1', ...header }))).toBe(
        'token-malformed',
      );
    }
  });

  it('has an unknown key where its name is no key’s, and the play secret does not stand in for it', async () => {
    const named = { ...PLAY_KEY, source: (await makeKey('HS256', 'other')).source };
    expect(await reasonOf([], await signJwt(named))).toBe('unknown-key');
  });

  it('has an unknown key where that cannot be used, which is said once', async () => {
    const key = await makeKey('RS256', 'k1');
    const { verifier, context, events } = makeVerifier([
      { ...key.source, jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } },
    ]);
    const token = await signJwt(key);
    for (let time = 0; time < 3; time++) {
      expect(await verifier.verify(token, context)).toMatchObject({
        ok: false,
        failure: { reason: 'unknown-key' },
      });
    }
    expect(events).toEqual(['key-not-usable']);
  });

  it('names its issuer and audience as its key asks', async () => {
    const key = await makeKey('ES256', 'k1', { issuer: 'https://a.example', audience: 'rill' });
    const right = { iss: 'https://a.example', aud: ['x', 'rill'] };
    expect(await reasonOf([key.source], await signJwt(key, right))).toBe('granted');
    expect(await reasonOf([key.source], await signJwt(key, { ...right, iss: 'https://b.example' }))).toBe(
      'wrong-issuer',
    );
    expect(await reasonOf([key.source], await signJwt(key, { aud: 'rill' }))).toBe('wrong-issuer');
    expect(await reasonOf([key.source], await signJwt(key, { ...right, aud: 'rill2' }))).toBe(
      'wrong-audience',
    );
    expect(await reasonOf([key.source], await signJwt(key, { iss: right.iss }))).toBe('wrong-audience');
  });

  it('for somebody else is refused where no audience is configured', async () => {
    const key = await makeKey('ES256', 'k1');
    expect(await reasonOf([key.source], await signJwt(key, { aud: 'elsewhere' }))).toBe('wrong-audience');
  });
});

describe('a Common Access Token', () => {
  it.each(['HS256', 'ES256'] as const)(
    'is verified with %s under the key that it names',
    async (algorithm) => {
      const key = await makeKey(algorithm, 'k1');
      const { verifier, context } = makeVerifier([key.source]);
      const claims = new Map<number, unknown>([
        [7, Uint8Array.of(1, 254)],
        [2, 'v'],
        [6, NOW],
        [310, 1],
      ]);
      const result = await verifier.verify(await signCat({ ...key, keyId: 'k1' }, claims), context);
      expect(result).toMatchObject({
        ok: true,
        value: { tokenId: '01fe', viewer: 'v', issuedAt: NOW, streams: ['*'] },
      });
    },
  );

  it('is verified under the play secret where it names no key', async () => {
    expect(await reasonOf([], await signCat(PLAY_KEY))).toBe('granted');
  });

  it('is verified without tags where its protected header says the algorithm, and not otherwise', async () => {
    expect(await reasonOf([], await signCat(PLAY_KEY, new Map(), { tags: [] }))).toBe('granted');
    expect(
      await reasonOf([], await signCat(PLAY_KEY, new Map(), { tags: [], protectedHeader: new Map() })),
    ).toBe('token-malformed');
  });

  it('is refused where tag and header disagree, or something is critical', async () => {
    const es256 = new Map([[1, -7]]);
    expect(await reasonOf([], await signCat(PLAY_KEY, new Map(), { protectedHeader: es256 }))).toBe(
      'token-malformed',
    );
    expect(await reasonOf([], await signCat(PLAY_KEY, new Map(), { unprotected: es256 }))).toBe(
      'token-malformed',
    );
    const critical = new Map<number, unknown>([
      [1, 5],
      [2, [9]],
    ]);
    expect(await reasonOf([], await signCat(PLAY_KEY, new Map(), { protectedHeader: critical }))).toBe(
      'token-malformed',
    );
  });

  it('is forged where a byte of it is another', async () => {
    const token = await signCat(PLAY_KEY);
    const bytes = base64url.decode(token);
    bytes.set([(bytes.at(-1) ?? 0) ^ 1], bytes.length - 1);
    expect(await reasonOf([], base64url.encode(bytes))).toBe('token-forged');
  });

  it.each([8, 309, 317, 318, 319, 321, 324, 9999, -70_001, 'stream'])(
    'with claim %j, which may be a limit, is refused',
    async (claim) => {
      expect(await reasonOf([], await signCat(PLAY_KEY, new Map([[claim, 1]])))).toBe('token-malformed');
    },
  );
});

describe('what a verifier remembers', () => {
  it('ends with the key', async () => {
    const [one, two] = [await makeKey('ES256', 'k1'), await makeKey('ES256', 'k2')];
    const { verifier, context } = makeVerifier([one.source, two.source]);
    const tokens = [await signJwt(one), await signJwt(two)];
    const verifyAll = async (keys: readonly KeySource[]): Promise<readonly boolean[]> =>
      Promise.all(tokens.map(async (token) => (await verifier.verify(token, { ...context, keys })).ok));
    expect(await verifyAll(context.keys)).toEqual([true, true]);
    expect(await verifyAll([structuredClone(two.source)])).toEqual([false, true]);
    expect(await verifyAll([])).toEqual([false, false]);
  });

  it('ends with the play secret', async () => {
    const { verifier, context } = makeVerifier([]);
    const token = await signCat(PLAY_KEY);
    expect((await verifier.verify(token, context)).ok).toBe(true);
    expect((await verifier.verify(token, { ...context, playSecret: `${PLAY_SECRET}2` })).ok).toBe(false);
  });

  it('is the same grant for the same token', async () => {
    const { verifier, context } = makeVerifier([]);
    const token = await signCat(PLAY_KEY);
    const [first, second] = [await verifier.verify(token, context), await verifier.verify(token, context)];
    expect(first.ok && second.ok && first.value === second.value).toBe(true);
  });
});
