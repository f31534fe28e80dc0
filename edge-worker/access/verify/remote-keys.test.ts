import { describe, expect, it } from 'vitest';
import type { KeySource } from '../../../shared/access/key-source.ts';
import { makeKey, makeVerifier, NOW, signJwt, type IssuerKey } from './testing/issuer.ts';

const ISSUER = 'https://issuer.example';
const SOURCE: KeySource = {
  kind: 'jwks-url',
  url: 'https://issuer.example/jwks.json',
  algorithms: ['ES256'],
  issuer: ISSUER,
  audience: undefined,
};

/** A key set's host, and a verifier that knows it. */
function host(listed: readonly IssuerKey[]): {
  readonly asked: string[];
  readonly answer: { body: () => Response };
  readonly stored: Map<string, string>;
  readonly verify: (key: IssuerKey, at?: number, claims?: Record<string, unknown>) => Promise<string>;
  readonly settled: () => Promise<unknown>;
} {
  const asked: string[] = [];
  const answer = { body: () => jwks(listed) };
  const stored = new Map<string, string>();
  const work: Promise<unknown>[] = [];
  const { verifier, context } = makeVerifier([SOURCE], {
    fetch: async (url) => {
      asked.push(url);
      return answer.body();
    },
    store: {
      get: async (url) => stored.get(url),
      put: async (url, text) => {
        stored.set(url, text);
      },
    },
  });
  const background = (promise: Promise<unknown>): void => {
    work.push(promise);
  };
  return {
    asked,
    answer,
    stored,
    verify: async (key, at = NOW, claims = {}) => {
      const token = await signJwt(key, { iss: ISSUER, exp: NOW + 1_000_000, ...claims });
      const result = await verifier.verify(token, { ...context, now: at, background });
      return result.ok ? 'granted' : result.failure.reason;
    },
    settled: async () => Promise.all(work),
  };
}

function jwks(keys: readonly IssuerKey[]): Response {
  return Response.json({ keys: keys.map(({ source }) => ({ kid: source.keyId, ...source.jwk })) });
}

describe('keys at a URL', () => {
  it('are read when the first token under them comes, and once for many', async () => {
    const key = await makeKey('ES256', 'k1');
    const { verify, asked } = host([key]);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => verify(key, NOW, { jti: `${index}` })),
    );
    expect(new Set(answers)).toEqual(new Set(['granted']));
    expect(asked).toEqual([SOURCE.kind === 'jwks-url' ? SOURCE.url : '']);
  });

  it('rotate without a gap: a token under a new key is verified at once, under the old one until it is withdrawn', async () => {
    const [old, next] = [await makeKey('ES256', 'k1'), await makeKey('ES256', 'k2')];
    const { verify, answer, settled } = host([old]);
    expect(await verify(old)).toBe('granted');
    answer.body = () => jwks([old, next]);
    expect([await verify(next, NOW + 20), await verify(old, NOW + 20)]).toEqual(['granted', 'granted']);
    answer.body = () => jwks([next]);
    // The use that finds the set old has it read again in the background; the next one sees what was withdrawn.
    expect(await verify(old, NOW + 400)).toBe('granted');
    await settled();
    expect([await verify(old, NOW + 401), await verify(next, NOW + 401)]).toEqual(['unknown-key', 'granted']);
  });

  it('stay known while their host is dead', async () => {
    const key = await makeKey('ES256', 'k1');
    const { verify, answer, settled } = host([key]);
    expect(await verify(key)).toBe('granted');
    answer.body = () => {
      throw new TypeError('connection refused');
    };
    for (const later of [400, 4000, 80_000]) {
      expect(await verify(key, NOW + later, { jti: `${later}` })).toBe('granted');
      await settled();
    }
  });

  it('come from the last good text where an isolate starts while their host is dead', async () => {
    const key = await makeKey('ES256', 'k1');
    const { verify, answer, stored } = host([]);
    answer.body = () => new Response('overloaded', { status: 503 });
    stored.set('https://issuer.example/jwks.json', await jwks([key]).text());
    expect(await verify(key)).toBe('granted');
  });

  it('that are not known cost one request in ten seconds, however many are asked for', async () => {
    const key = await makeKey('ES256', 'k1');
    const { verify, asked } = host([key]);
    const flood = Array.from({ length: 50 }, async (_, index) =>
      verify({ ...key, source: { ...key.source, keyId: `guess${index}` } }, NOW + (index % 10)),
    );
    expect(new Set(await Promise.all(flood))).toEqual(new Set(['unknown-key']));
    expect(asked.length).toBe(1);
  });

  it('are not asked for by tokens of other issuers or algorithms', async () => {
    const key = await makeKey('EdDSA', 'k1');
    const { verify, asked } = host([key]);
    expect([
      await verify(key),
      await verify(await makeKey('ES256', 'k1'), NOW, { iss: 'https://other' }),
    ]).toEqual(['unknown-key', 'unknown-key']);
    expect(asked).toEqual([]);
  });

  it('are refused as a whole beyond a hundred or a quarter of a megabyte, a million among them', async () => {
    const key = await makeKey('ES256', 'k1');
    const { verify, answer } = host([key]);
    const one = JSON.stringify({ kid: 'k1', ...key.source.jwk });
    answer.body = () => new Response(million(one));
    expect(await verify(key)).toBe('unknown-key');
    answer.body = () => new Response(`{"keys":[${Array.from({ length: 101 }, () => one).join(',')}]}`);
    expect(await verify(key, NOW + 20)).toBe('unknown-key');
  });

  it('are no secrets, and none for another use', async () => {
    const [secret, encryption] = [await makeKey('HS256', 'k1'), await makeKey('ES256', 'k2')];
    const { verify, answer } = host([]);
    answer.body = () =>
      Response.json({
        keys: [
          { kid: 'k1', alg: 'HS256', ...secret.source.jwk },
          { kid: 'k2', use: 'enc', ...encryption.source.jwk },
        ],
      });
    expect([await verify(secret), await verify(encryption)]).toEqual(['unknown-key', 'unknown-key']);
  });

  it('that cannot be used do not keep the others away', async () => {
    const key = await makeKey('ES256', 'k1');
    const { verify, answer } = host([]);
    answer.body = () =>
      Response.json({
        keys: [
          { kid: 'bad', kty: 'EC', crv: 'P-256' },
          { kid: 'k1', ...key.source.jwk },
        ],
      });
    expect(await verify(key)).toBe('granted');
  });

  it.each(['not JSON', '{"keys":7}', '[]', ''])('that are %j are none', async (body) => {
    const key = await makeKey('ES256', 'k1');
    const { verify, answer } = host([]);
    answer.body = () => new Response(body);
    expect(await verify(key)).toBe('unknown-key');
  });
});

/** A set with a million keys, made as it is read. */
function million(key: string): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let sent = 0;
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue(encoder.encode('{"keys":['));
    },
    pull: (controller) => {
      controller.enqueue(encoder.encode(`${key},`.repeat(1000)));
      sent += 1000;
      if (sent >= 1_000_000) {
        controller.enqueue(encoder.encode(`${key}]}`));
        controller.close();
      }
    },
  });
}
