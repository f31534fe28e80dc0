/** Tokens that an attacker, or a careless issuer, might send: by name, how each is made. */

import { base64url, CompactSign, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { signCat, type CatOptions } from '../../edge-worker/access/verify/testing/issuer.ts';

/** What tokens are made with. */
export interface AttackParts {
  readonly playSecret: string;
  /** Unix seconds. */
  readonly now: number;
  /** A server that no edge may ask. */
  readonly trap: string;
}

/** An attack by token: a text in place of a token for `show`. */
export type TokenAttack = readonly [name: string, make: () => Promise<string>];

type Json = Readonly<Record<string, unknown>>;

/** All of them. */
export function tokenAttacks(parts: AttackParts): readonly TokenAttack[] {
  return [
    ...forgeries(parts),
    ...headers(parts),
    ...texts(parts),
    ...claims(parts),
    ...names(parts),
    ...cats(parts),
  ];
}

function forgeries(parts: AttackParts): readonly TokenAttack[] {
  const { now, trap } = parts;
  const right = { stream: 'show', exp: now + 600 };
  const unsigned = (header: Json, signature = ''): string =>
    `${encode(header)}.${encode(right)}.${signature}`;
  const good = (): Promise<string> => sign(parts, right);
  return [
    ['no signature, alg none', async () => unsigned({ alg: 'none' })],
    ['no signature, alg NoNe', async () => unsigned({ alg: 'NoNe' })],
    ['no signature, alg HS256', async () => unsigned({ alg: 'HS256' })],
    ['no alg', async () => unsigned({ typ: 'JWT' }, 'AAAA')],
    ['alg is a list', async () => unsigned({ alg: ['HS256'] }, 'AAAA')],
    ['alg HS512 with the right key', () => sign(parts, right, { alg: 'HS512' })],
    ['another secret', () => sign({ ...parts, playSecret: 'x'.repeat(32) }, right)],
    ['the secret in upper case', () => sign({ ...parts, playSecret: parts.playSecret.toUpperCase() }, right)],
    ['signature cut', async () => (await good()).slice(0, -4)],
    [
      'signature of another token',
      async () => splice(await good(), await sign(parts, { ...right, stream: 'other' })),
    ],
    [
      'claims of another token',
      async () => splice(await sign(parts, { ...right, stream: 'other' }), await good()),
    ],
    ['header changed to ES256', async () => withHeader(await good(), { alg: 'ES256' })],
    ['first bit of the signature changed', async () => changeLastPart(await good())],
    [
      'unused bits of the last character set',
      async () => (await good()).replace(/.$/, (last) => nextCharacter(last)),
    ],
    ['own ES256 key in the header (jwk)', () => selfSigned(right, async (jwk) => ({ jwk }))],
    [
      'own key set in the header (jku)',
      () => selfSigned(right, async () => ({ jku: `${trap}/jwks.json`, kid: 'k' })),
    ],
    [
      'own certificate in the header (x5u)',
      () => selfSigned(right, async () => ({ x5u: `${trap}/cert.pem`, kid: 'k' })),
    ],
    [
      'own certificate in the header (x5c)',
      () => selfSigned(right, async () => ({ x5c: ['MIIB'], kid: 'k' })),
    ],
    ['issuer that is a key set’s URL', () => selfSigned({ ...right, iss: trap }, async () => ({ kid: 'k' }))],
  ];
}

function headers(parts: AttackParts): readonly TokenAttack[] {
  const right = { stream: 'show', exp: parts.now + 600 };
  const kids: readonly unknown[] = [
    '../../../../dev/null',
    "' UNION SELECT 'key' --",
    '__proto__',
    'constructor',
    'RILL_PLAY_SECRET',
    `${parts.trap}/key`,
    '',
    'k'.repeat(1000),
    7,
    null,
    { $ne: '' },
  ];
  const changed: readonly Json[] = [
    { crit: ['exp'], exp: 1 },
    { crit: ['b64'], b64: false },
    { typ: 'dpop+jwt' },
    { typ: 'rill-session+jwt' },
    { cty: 'JWT' },
    { zip: 'DEF' },
    { enc: 'A256GCM' },
  ];
  return [
    ...kids.map((kid): TokenAttack => [
      `kid ${JSON.stringify(kid).slice(0, 40)}`,
      () => signHeader(parts, { kid }, right),
    ]),
    ...changed.map((header): TokenAttack => [
      `header ${JSON.stringify(header)}`,
      () => signHeader(parts, header, right),
    ]),
    ['alg twice in the header', () => signRaw(parts, '{"alg":"HS256","alg":"HS256"}', JSON.stringify(right))],
    ['header is a list', () => signRaw(parts, '["HS256"]', JSON.stringify(right))],
  ];
}

function texts(parts: AttackParts): readonly TokenAttack[] {
  const { now } = parts;
  const right = { stream: 'show', exp: now + 600 };
  const header = '{"alg":"HS256"}';
  const payloads: readonly (readonly [string, string | Uint8Array])[] = [
    ['stream twice', `{"stream":"other","exp":${now + 600},"stream":"show"}`],
    ['exp twice', `{"stream":"show","exp":1,"exp":${now + 600}}`],
    ['exp twice, one escaped', `{"stream":"show","exp":1,"\\u0065xp":${now + 600}}`],
    ['a list', `[{"stream":"show","exp":${now + 600}}]`],
    ['null', 'null'],
    ['a text', '"show"'],
    ['empty', ''],
    ['claims in __proto__', `{"__proto__":{"stream":"show","exp":${now + 600}}}`],
    [
      'lists that do not close',
      `{"stream":"show","exp":${now + 600},"x":${'['.repeat(500)}${']'.repeat(499)}}`,
    ],
    ['not UTF-8', Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['with a byte order mark', `\uFEFF{"stream":"show","exp":${now + 600}}`],
    ['with a comment', `{"stream":"show",/**/"exp":${now + 600}}`],
    ['exp beyond all numbers', '{"stream":"show","exp":1e999}'],
  ];
  const good = (): Promise<string> => sign(parts, right);
  return [
    ...payloads.map(([name, payload]): TokenAttack => [
      `claims: ${name}`,
      () => signRaw(parts, header, payload),
    ]),
    ['cut in the middle', async () => (await good()).slice(0, 60)],
    ['one part', async () => (await good()).split('.')[1] ?? ''],
    ['two parts', async () => (await good()).split('.').slice(0, 2).join('.')],
    ['four parts', async () => `${await good()}.AAAA`],
    ['five parts, as of JWE', async () => `${await good()}.AAAA.AAAA`],
    [
      'JSON serialisation',
      async () => encode({ protected: encode({ alg: 'HS256' }), payload: encode(right), signature: 'AAAA' }),
    ],
    ['spaces in between', async () => (await good()).replace('.', '%20.')],
    ['a zero byte at the end', async () => `${await good()}%00`],
    ['standard base64 alphabet', async () => `${await good()}+`],
    ['5 KB', async () => sign(parts, { ...right, x: 'x'.repeat(5000) })],
    ['60 KB', async () => 'A'.repeat(60_000)],
    ['dots alone', async () => '..'],
  ];
}

function claims(parts: AttackParts): readonly TokenAttack[] {
  const { now } = parts;
  const wrong: readonly Json[] = [
    { exp: undefined },
    { exp: `${now + 600}` },
    { exp: null },
    { exp: -1 },
    { exp: true },
    { exp: now - 60 },
    { exp: (now + 600) * 1000 },
    { nbf: now + 300 },
    { nbf: 'soon' },
    { iat: now + 300 },
    { aud: 'another service' },
    { aud: [] },
    { scope: 'admin' },
    { scope: 'publish analytics' },
    { scope: '' },
    { scope: { play: true } },
    { country: ['FR'] },
    { country: ['de'] },
    { country: 'DE' },
    { country: [] },
    { region: ['DE-BE'] },
    { asn: [64_501] },
    { prefix: ['203.0.113.0/24'] },
    { prefix: ['::ffff:203.0.113.0/120'] },
    { prefix: ['0.0.0.0/33'] },
    { sessions: 1 },
    { sessions: -1, sub: 'v' },
    { maxHeight: 'all' },
    { timeShift: -5 },
    { sub: 'v'.repeat(300) },
    { sub: ['v'] },
  ];
  return wrong.map((claim): TokenAttack => [
    `claim ${JSON.stringify(claim).slice(0, 60)}`,
    () => sign(parts, { stream: 'show', exp: now + 600, ...claim }),
  ]);
}

function names(parts: AttackParts): readonly TokenAttack[] {
  const streams: readonly unknown[] = [
    'other',
    'sho',
    'sho?',
    'show2',
    'SHOW',
    '\u0455how',
    '\uFF53how',
    'show\u0000',
    'show\u200b',
    'sh\u006f\u0308w',
    ' show',
    'show/../show',
    '%73how',
    '.*',
    '*w*h*s*',
    '******',
    ['show'],
    { name: 'show' },
    1,
    '',
  ];
  return streams.map((stream): TokenAttack => [
    `stream ${JSON.stringify(stream)}`,
    () => sign(parts, { stream, exp: parts.now + 600 }),
  ]);
}

function cats(parts: AttackParts): readonly TokenAttack[] {
  const key = {
    algorithm: 'HS256',
    signing: new TextEncoder().encode(parts.playSecret),
    keyId: undefined,
  } as const;
  const cat = (entries: readonly (readonly [unknown, unknown])[], options?: CatOptions): Promise<string> =>
    signCat(key, new Map<unknown, unknown>([[4, parts.now + 600], ...entries]), options);
  const limit = (label: number, value: unknown): TokenAttack => [
    `CAT claim ${label}: ${describe(value)}`,
    () => cat([[label, value]]),
  ];
  const bytes = (name: string, payload: readonly number[]): TokenAttack => [
    `CAT of ${name}`,
    () => cat([], { payload: Uint8Array.from(payload) }),
  ];
  const raw = (name: string, message: readonly number[]): TokenAttack => [
    `CBOR of ${name}`,
    async () => base64url.encode(Uint8Array.from(message)),
  ];
  const path = (match: readonly (readonly [number, unknown])[]): unknown => new Map([[3, new Map(match)]]);
  return [
    [
      'CAT under another secret',
      () => signCat({ ...key, signing: new Uint8Array(32) }, new Map([[4, parts.now + 600]])),
    ],
    ['CAT cut', async () => (await cat([])).slice(0, -8)],
    ['CAT with an unknown kid', () => signCat({ ...key, keyId: '../key' }, new Map([[4, parts.now + 600]]))],
    [
      'CAT with a critical header',
      () =>
        cat([], {
          protectedHeader: new Map<number, unknown>([
            [1, 5],
            [2, [99]],
          ]),
        }),
    ],
    ['CAT with HMAC cut to 64 bits', () => cat([], { protectedHeader: new Map([[1, 4]]) })],
    ['CAT in COSE_Sign1 with a MAC', () => cat([], { tags: [61, 18] })],
    ['CAT without tags and alg', () => cat([], { tags: [], protectedHeader: new Map() })],
    ['CAT with alg outside of what is signed', () => cat([], { unprotected: new Map([[1, -7]]) })],
    ['CAT in 9 tags', () => cat([], { tags: [61, 61, 61, 61, 61, 61, 61, 61, 17] })],
    ['CAT without exp', () => cat([], { payload: Uint8Array.of(0xa1, 0x01, 0x61, 0x61) })],
    ['CAT that expired a second ago', () => cat([[4, parts.now - 1]])],
    bytes('claims nested 1000 deep', [...Array.from({ length: 1000 }, () => 0x81), 0x01]),
    bytes('exp twice', [0xa2, 0x04, 0x01, 0x04, 0x1a, 0xff, 0xff, 0xff, 0xff]),
    bytes('NaN as exp', [0xa1, 0x04, 0xf9, 0x7e, 0x00]),
    bytes('infinity as exp', [0xa1, 0x04, 0xf9, 0x7c, 0x00]),
    bytes('2^64 - 1 as exp', [0xa1, 0x04, 0x1b, 255, 255, 255, 255, 255, 255, 255, 255]),
    bytes('a map of 2^64 pairs', [0xbb, 255, 255, 255, 255, 255, 255, 255, 255]),
    bytes('a list', [0x80]),
    bytes('nothing', []),
    raw(
      'lists nested 3000 deep',
      Array.from({ length: 3000 }, () => 0x81),
    ),
    raw(
      'tags nested 3000 deep',
      Array.from({ length: 3000 }, () => 0xc1),
    ),
    raw('a list of 2^32 - 1', [0x9a, 0xff, 0xff, 0xff, 0xff]),
    raw('indefinite length', [0xd2, 0x9f, 0x40, 0xa0, 0x40, 0x40, 0xff]),
    raw('a COSE_Encrypt0', [0xd0, 0x83, 0x40, 0xa0, 0x40]),
    raw('a COSE_Mac0 without payload', [0xd1, 0x84, 0x43, 0xa1, 0x01, 0x05, 0xa0, 0xf6, 0x40]),
    limit(8, new Map([[1, 1]])),
    limit(309, [0.5, 'x']),
    limit(310, 2),
    limit(311, [64_501]),
    limit(311, ['192.0.2.0/24']),
    limit(312, path([[1, '/live/other/']])),
    limit(312, path([[4, '^(a+)+$']])),
    limit(312, path([[-1, new Uint8Array(32)]])),
    limit(312, new Map([[99, new Map([[0, 'x']])]])),
    limit(312, new Map([[1, new Map([[0, 'other.example']])]])),
    limit(313, ['POST']),
    limit(313, 'GET'),
    limit(314, ['h3']),
    limit(315, new Map([['x-secret', new Map([[0, 'x']])]])),
    limit(316, ['FR']),
    limit(316, ['Germany']),
    limit(308, 1),
    limit(321, new Map([[0, 1]])),
    limit(322, new Map([[4, [200, new Map([['set-cookie', 'a=b']])]]])),
    limit(-70_001, 1),
  ];
}

function describe(value: unknown): string {
  const plain = (_key: string, entry: unknown): unknown =>
    entry instanceof Map ? Object.fromEntries(entry) : entry;
  return JSON.stringify(value, plain).slice(0, 50);
}

async function sign({ playSecret }: AttackParts, payload: Json, header: Json = {}): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(payload));
  return new CompactSign(bytes)
    .setProtectedHeader({ alg: 'HS256', ...header })
    .sign(new TextEncoder().encode(playSecret));
}

/** Signs under a header that no library would write. */
async function signHeader(parts: AttackParts, header: Json, payload: Json): Promise<string> {
  return signRaw(parts, JSON.stringify({ alg: 'HS256', ...header }), JSON.stringify(payload));
}

async function signRaw(
  { playSecret }: AttackParts,
  header: string,
  payload: string | Uint8Array,
): Promise<string> {
  const signed = `${base64url.encode(header)}.${base64url.encode(payload)}`;
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', new TextEncoder().encode(playSecret), hmac, false, [
    'sign',
  ]);
  const signature = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(signed));
  return `${signed}.${base64url.encode(new Uint8Array(signature))}`;
}

/** A token under a key of the attacker's own, which the header brings along. */
async function selfSigned(payload: Json, header: (jwk: object) => Promise<Json>): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  return new SignJWT({ ...payload })
    .setProtectedHeader({ alg: 'ES256', ...(await header(await exportJWK(publicKey))) })
    .sign(privateKey);
}

function encode(value: unknown): string {
  return base64url.encode(JSON.stringify(value));
}

/** The claims of one token with the signature of another. */
function splice(one: string, other: string): string {
  return [...one.split('.').slice(0, 2), other.split('.')[2]].join('.');
}

function withHeader(token: string, header: Json): string {
  return [encode(header), ...token.split('.').slice(1)].join('.');
}

function changeLastPart(token: string): string {
  const [header, payload, signature = ''] = token.split('.');
  const bytes = base64url.decode(signature);
  bytes[0] = (bytes[0] ?? 0) ^ 0x80;
  return [header, payload, base64url.encode(bytes)].join('.');
}

/** The character whose value is one more: as the last of 43 it stands for the same bytes. */
function nextCharacter(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(character) + 1] ?? '_';
}
