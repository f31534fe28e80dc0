/** Requests that try to get at a stream around its token. */

import type { RawRequest } from './raw-request.ts';

/** Tokens that requests are made with: for `show`, for `other`, for `show` from elsewhere, and none of the edge's. */
export interface RequestTokens {
  readonly good: string;
  readonly other: string;
  readonly elsewhere: string;
  readonly bad: string;
}

/** An attack by request. */
export type RequestAttack = readonly [name: string, request: RawRequest];

const PLAYLIST = '/live/show/index.m3u8';

/** All of them; none may be answered with the stream. */
export function requestAttacks(tokens: RequestTokens): readonly RequestAttack[] {
  return [...conflicts(tokens), ...paths(tokens), ...spoofs(tokens), ...methods(tokens)];
}

function conflicts({ good, bad }: RequestTokens): readonly RequestAttack[] {
  const bearer = { authorization: `Bearer ${good}` };
  const cookie = { cookie: `rill_token=${good}` };
  return [
    ['no token', { path: PLAYLIST }],
    ['an empty token in the query', { path: `${PLAYLIST}?token=` }],
    ['a bad token in the path, a good one in the query', { path: `/t/${bad}${PLAYLIST}?token=${good}` }],
    [
      'a bad token in the path, a good one in Authorization',
      { path: `/t/${bad}${PLAYLIST}`, headers: bearer },
    ],
    [
      'a bad token in the query, a good one in Authorization',
      { path: `${PLAYLIST}?token=${bad}`, headers: bearer },
    ],
    ['a bad token in the query, a good one after it', { path: `${PLAYLIST}?token=${bad}&token=${good}` }],
    [
      'a bad token in Authorization, a good one in the cookie',
      { path: PLAYLIST, headers: { authorization: `Bearer ${bad}`, ...cookie } },
    ],
    [
      'a bad token in the cookie, a good one after it',
      { path: PLAYLIST, headers: { cookie: `rill_token=${bad}; rill_token=${good}` } },
    ],
    ['a good token as Basic', { path: PLAYLIST, headers: { authorization: `Basic ${good}` } }],
    [
      'a good token in a header of no standing',
      { path: PLAYLIST, headers: { 'x-token': good, 'x-auth-token': good } },
    ],
    ['a good token as fragment', { path: `${PLAYLIST}#token=${good}` }],
  ];
}

function paths({ good, other, bad }: RequestTokens): readonly RequestAttack[] {
  const forOther = (path: string): RawRequest => ({ path: `/t/${other}${path}` });
  return [
    ['two tokens in the path', { path: `/t/${bad}/t/${good}${PLAYLIST}` }],
    ['no token in the token’s place', { path: `/t/${PLAYLIST}` }],
    ['a token of another stream', forOther(PLAYLIST)],
    ['… and dots that lead out', forOther('/live/other/../show/index.m3u8')],
    ['… and encoded dots', forOther('/live/other/%2e%2e/show/index.m3u8')],
    ['… and encoded slashes', forOther('/live/other%2f..%2fshow/index.m3u8')],
    ['… and dots encoded twice', forOther('/live/other/%252e%252e/show/index.m3u8')],
    ['… and backslashes', forOther('/live/other\\..\\show/index.m3u8')],
    ['… and a semicolon', forOther('/live/other;/../show/index.m3u8')],
    ['… and a double slash', forOther('/live//show/index.m3u8')],
    ['… and an encoded letter', forOther('/live/%73how/index.m3u8')],
    ['… and an upper-case name', forOther('/live/SHOW/index.m3u8')],
    ['… and an absolute address', { path: `http://edge.example/t/${other}${PLAYLIST}` }],
    ['… and a letter that looks the same', forOther('/live/%D1%95how/index.m3u8')],
    ['… and a zero byte', forOther('/live/other%00/../show/index.m3u8')],
    ['the delivery path', { path: PLAYLIST, headers: { host: 'delivery.rill' } }],
    ['the internal namespace', { path: `/_internal${PLAYLIST}` }],
    ['8 KB of path', { path: `/t/${'a'.repeat(8192)}${PLAYLIST}` }],
  ];
}

function spoofs({ other, elsewhere }: RequestTokens): readonly RequestAttack[] {
  const withHeaders = (headers: Readonly<Record<string, string>>): RawRequest => ({
    path: `/t/${elsewhere}${PLAYLIST}`,
    headers,
  });
  return [
    ['a token from elsewhere', withHeaders({})],
    ['… with CF-IPCountry', withHeaders({ 'cf-ipcountry': 'FR' })],
    ['… with X-Country and X-Geo', withHeaders({ 'x-country': 'FR', 'x-geo-country': 'FR' })],
    ['… with X-Forwarded-For', withHeaders({ 'x-forwarded-for': '203.0.113.7' })],
    ['… with X-Forwarded-For, IPv4-mapped', withHeaders({ 'x-forwarded-for': '::ffff:203.0.113.7' })],
    ['… with Forwarded', withHeaders({ forwarded: 'for=203.0.113.7' })],
    [
      '… with X-Real-IP and True-Client-IP',
      withHeaders({ 'x-real-ip': '203.0.113.7', 'true-client-ip': '203.0.113.7' }),
    ],
    ['… with CF-Connecting-IP', withHeaders({ 'cf-connecting-ip': '203.0.113.7' })],
    ['… with MF-CF-Blob', withHeaders({ 'mf-cf-blob': '{"country":"FR"}' })],
    [
      'another stream’s token and X-Original-URL',
      { path: `/t/${other}${PLAYLIST}`, headers: { 'x-original-url': '/live/other/index.m3u8' } },
    ],
    [
      'X-Original-URL alone',
      { path: '/healthz/x', headers: { 'x-original-url': PLAYLIST, 'x-rewrite-url': PLAYLIST } },
    ],
    [
      'X-Forwarded-Host',
      { path: PLAYLIST, headers: { 'x-forwarded-host': 'delivery.rill', 'x-forwarded-proto': 'https' } },
    ],
    [
      'X-Middleware-Subrequest',
      { path: PLAYLIST, headers: { 'x-middleware-subrequest': 'gateway', 'x-internal': '1' } },
    ],
  ];
}

function methods({ bad, good }: RequestTokens): readonly RequestAttack[] {
  const path = `/t/${bad}${PLAYLIST}`;
  return [
    ...['HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND'].map((method): RequestAttack => [
      `${method} with a bad token`,
      { path, method },
    ]),
    ['POST with a good token', { path: `/t/${good}${PLAYLIST}`, method: 'POST' }],
    ['X-HTTP-Method-Override', { path, headers: { 'x-http-method-override': 'OPTIONS' } }],
    ['If-None-Match of anything', { path: PLAYLIST, headers: { 'if-none-match': '*' } }],
    [
      'If-Modified-Since',
      { path: PLAYLIST, headers: { 'if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' } },
    ],
    ['a range', { path, headers: { range: 'bytes=0-1' } }],
    ['a request for the cache alone', { path: PLAYLIST, headers: { 'cache-control': 'only-if-cached' } }],
  ];
}
