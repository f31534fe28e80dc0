import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { AccessSnapshot } from '../../shared/access/access-snapshot.ts';
import type { PolicyRule } from '../../shared/access/policy.ts';
import type { Revocation } from '../../shared/access/revocation.ts';
import { fail, ok } from '../../shared/result.ts';
import type { SessionAnswer, SessionCall } from '../access/sessions/viewer-sessions.ts';
import type { Env } from '../env.ts';
import { NOW, signToken, testEnv } from '../testing/fixture.ts';
import { createGateway } from './app.ts';

const EDGE = 'https://edge.example';
const START = '/live/show/index.m3u8';
const MULTIVARIANT = `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="audio/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,AUDIO="a"
360p/index.m3u8
`;
const MEDIA = '#EXTM3U\n#EXTINF:2,\n7-1.m4s\n';
const SHORT = { exp: NOW + 5, iat: NOW - 10 };

/** A device with an edge near it: what it is told in one answer it follows in the next. */
interface Edge {
  /** Unix seconds. */
  now: number;
  snapshot: AccessSnapshot;
  readonly work: Promise<unknown>[];
  get(url: string | URL, init?: RequestInit): Promise<Response>;
}

function edge(options: { readonly env?: Partial<Env>; readonly live?: () => boolean } = {}): Edge {
  const app = createGateway({
    deliver: async (request) => delivered(new URL(request.url).pathname, options.live?.() ?? true),
    now: () => state.now,
    snapshot: async () => ok(state.snapshot),
    background: (work) => state.work.push(work),
  });
  const state: Edge = {
    now: NOW,
    snapshot: snapshotOf({}),
    work: [],
    get: async (url, init) => app.fetch(new Request(new URL(url, EDGE), init), testEnv({ ...options.env })),
  };
  return state;
}

function snapshotOf(fields: Partial<AccessSnapshot>): AccessSnapshot {
  return {
    version: 1,
    policies: { default: { access: 'token', rules: [] }, streams: {} },
    keys: [],
    revocations: [],
    ...fields,
  };
}

function delivered(path: string, live: boolean): Response {
  const isMedia = path.endsWith('.m4s');
  const text = path === START ? MULTIVARIANT : MEDIA;
  return new Response(live ? text : 'no such stream', {
    status: live ? 200 : 404,
    headers: {
      'content-type': isMedia ? 'video/mp4' : 'application/vnd.apple.mpegurl',
      'content-length': String(text.length),
      'cache-control': 'public, max-age=1',
      etag: '"p"',
    },
  });
}

/** Reads an answer and gives the addresses in it. */
async function addresses(answer: Response, url: string): Promise<readonly URL[]> {
  expect(answer.status).toBe(200);
  const text = new TextDecoder().decode(await answer.arrayBuffer());
  return [...text.matchAll(/URI="([^"]+)"|^([^#\n].*)$/gm)].map(
    ([, attribute, line]) => new URL(attribute ?? line ?? '', new URL(url, EDGE)),
  );
}

describe('a short-lived token', () => {
  it.each([
    ['path', (token: string) => ({ url: `/t/${token}${START}`, headers: {} })],
    ['query', (token: string) => ({ url: `${START}?token=${token}`, headers: {} })],
    ['Authorization', (token: string) => ({ url: START, headers: { authorization: `Bearer ${token}` } })],
    [
      'CTA-Common-Access-Token',
      (token: string) => ({ url: START, headers: { 'cta-common-access-token': token } }),
    ],
  ])('in the %s starts a session that plays on', async (_, request) => {
    const device = edge();
    const token = await signToken(SHORT);
    const { url, headers } = request(token);
    const children = await addresses(await device.get(url, { headers }), url);
    expect(children.length).toBe(2);
    device.now = NOW + 3_600;
    for (const child of children) {
      expect(child.href).not.toContain(token);
      const [media] = await addresses(await device.get(child, { headers }), child.href);
      // With a query the token is on every address; in a path it is inherited.
      expect((await device.get(media ?? '', { headers })).status).toBe(200);
    }
    expect((await device.get(url, { headers })).status).toBe(401);
  });

  it('leaves media playlists as all see them, with the session in the path', async () => {
    const device = edge();
    const url = `/t/${await signToken(SHORT)}${START}`;
    const [child] = await addresses(await device.get(url), url);
    expect(await (await device.get(child ?? '')).text()).toBe(MEDIA);
  });

  it('is answered for its viewer alone, and told where the session goes on', async () => {
    const device = edge();
    const url = `/t/${await signToken(SHORT)}${START}`;
    const answer = await device.get(url, { headers: { 'if-none-match': '"p"' } });
    expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('etag')]).toEqual([
      200,
      'private, no-store',
      null,
    ]);
    const again = new URL(answer.headers.get('content-location') ?? '', new URL(url, EDGE));
    expect(again.pathname).toMatch(/^\/t\/s1\.[\w.-]+\/live\/show\/index\.m3u8$/);
    device.now = NOW + 60;
    const renewed = await device.get(again);
    expect(await renewed.text()).toBe(MULTIVARIANT);
    expect(renewed.headers.get('cache-control')).toBe('public, max-age=1');
  });

  it('starts no session where sessions are switched off, for HEAD, or for a stream that is not live', async () => {
    let live = true;
    const device = edge({ live: () => live });
    const url = `/t/${await signToken(SHORT)}${START}`;
    const off = edge({ env: { RILL_SESSION_SECONDS: '0' } });
    expect(await (await off.get(url)).text()).toBe(MULTIVARIANT);
    expect((await device.get(url, { method: 'HEAD' })).headers.get('content-location')).toBeNull();
    live = false;
    const missing = await device.get(url);
    expect([missing.status, missing.headers.get('content-location')]).toEqual([404, null]);
  });

  it('takes its limits into the session', async () => {
    const device = edge();
    const token = await signToken({ ...SHORT, country: ['DE'], maxHeight: 360 });
    const url = `/t/${token}${START}`;
    const [child] = await addresses(await device.get(url, { cf: { country: 'DE' } }), url);
    expect((await device.get(child ?? '', { cf: { country: 'DE' } })).status).toBe(200);
    expect((await device.get(child ?? '', { cf: { country: 'FR' } })).status).toBe(451);
    const other = child?.href.replace('/live/show/', '/live/news/') ?? '';
    expect((await device.get(other, { cf: { country: 'DE' } })).status).toBe(403);
    const above = child?.href.replace('/audio/', '/1080p/') ?? '';
    expect((await device.get(above, { cf: { country: 'DE' } })).status).toBe(403);
  });
});

describe('a session', () => {
  const settings = { RILL_SESSION_SECONDS: '100', RILL_SESSION_MAX_SECONDS: '250' };
  const where = (answer: Response, url: string): string =>
    new URL(answer.headers.get('content-location') ?? '', new URL(url, EDGE)).href;

  it('is renewed with the multivariant playlist, and over after the longest time', async () => {
    const device = edge({ env: settings });
    const url = `/t/${await signToken(SHORT)}${START}`;
    const first = where(await device.get(url), url);
    device.now = NOW + 90;
    const second = where(await device.get(first), first);
    expect(second).not.toBe(first);
    device.now = NOW + 180;
    expect((await device.get(first)).status).toBe(401);
    const third = where(await device.get(second), second);
    device.now = NOW + 254;
    expect((await device.get(third)).status).toBe(200);
    device.now = NOW + 255;
    expect((await device.get(third)).status).toBe(401);
  });

  it.each([
    ['viewer', 'v'],
    ['token', 'jti-1'],
  ] as const)('ends when its %s is revoked, renewed or not', async (kind, id) => {
    const device = edge({ env: settings });
    const url = `/t/${await signToken({ ...SHORT, exp: NOW + 50, sub: 'v', jti: 'jti-1' })}${START}`;
    const first = where(await device.get(url), url);
    device.now = NOW + 90;
    const second = where(await device.get(first), first);
    const revocation: Revocation = { kind, id, issuedUpTo: NOW + 20, until: NOW + 1_000 };
    device.snapshot = snapshotOf({ revocations: [revocation] });
    expect((await device.get(first)).status).toBe(401);
    expect((await device.get(second)).status).toBe(401);
  });

  it('is worth nothing under another secret, nor as another kind of token', async () => {
    const url = `/t/${await signToken(SHORT)}${START}`;
    const session = where(await edge().get(url), url);
    const other = edge({ env: { RILL_SESSION_SECRET: 'another secret that is long enough too' } });
    expect((await other.get(session)).status).toBe(401);
    expect((await edge().get(session.replace('s1.', ''))).status).toBe(401);
  });
});

describe("a stream's rules in a session", () => {
  const policies = (rules: readonly PolicyRule[]): AccessSnapshot =>
    snapshotOf({ policies: { default: { access: 'token', rules }, streams: {} } });

  it('cut a viewer who moves to a blocked country, at the next request', async () => {
    const device = edge();
    device.snapshot = policies([{ id: 'licence', effect: 'allow', match: { countries: ['DE'] } }]);
    const url = `/t/${await signToken(SHORT)}${START}`;
    const [child] = await addresses(await device.get(url, { cf: { country: 'DE' } }), url);
    expect((await device.get(child ?? '', { cf: { country: 'DE' } })).status).toBe(200);
    expect((await device.get(child ?? '', { cf: { country: 'FR' } })).status).toBe(451);
    expect((await device.get(child ?? '')).status).toBe(451);
  });

  it('hold for public streams too', async () => {
    const device = edge();
    const rules = [{ id: 'blocked', effect: 'deny', match: { countries: ['FR'] } }] as const;
    device.snapshot = snapshotOf({ policies: { default: { access: 'public', rules }, streams: {} } });
    expect((await device.get(START, { cf: { country: 'FR' } })).status).toBe(451);
    expect((await device.get(START, { cf: { country: 'DE' } })).status).toBe(200);
  });

  it('do not stay with the session: what one place limits another does not', async () => {
    const device = edge();
    device.snapshot = policies([
      { id: 'small', effect: 'limit', match: { countries: ['FR'] }, maxHeight: 200 },
    ]);
    const url = `/t/${await signToken(SHORT)}${START}`;
    expect((await device.get(url, { cf: { country: 'FR' } })).status).toBe(403);
    const [, child] = await addresses(await device.get(url, { cf: { country: 'DE' } }), url);
    expect((await device.get(child ?? '', { cf: { country: 'FR' } })).status).toBe(403);
    expect((await device.get(child ?? '', { cf: { country: 'DE' } })).status).toBe(200);
  });

  it('are unknown while the registry has never been read: nobody plays', async () => {
    const app = createGateway({
      deliver: async () => delivered(START, true),
      now: () => NOW,
      snapshot: async () => fail({ reason: 'access-unavailable', detail: 'away' }),
    });
    const answer = await app.fetch(new Request(`${EDGE}/t/${await signToken()}${START}`), testEnv({}));
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  });
});

describe('a token in a cookie', () => {
  it('is set on the multivariant playlist where the player asks for it', async () => {
    const device = edge();
    const url = `/t/${await signToken(SHORT)}${START}?cookie=1`;
    const answer = await device.get(url);
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(
      /^rill_token=s1\.[\w.-]+; Path=\/live\/show\/; Max-Age=14400; Secure; HttpOnly; SameSite=None; Partitioned$/,
    );
    const [child] = await addresses(answer, url);
    expect(child?.href).toBe(`${EDGE}/live/show/audio/index.m3u8`);
    device.now = NOW + 3_600;
    const headers = { cookie: cookie.split(';', 1)[0] ?? '' };
    const played = await device.get(child ?? '', { headers });
    expect([played.status, played.headers.get('cache-control')]).toEqual([200, 'private, max-age=1']);
    expect((await device.get(child ?? '')).status).toBe(401);
  });

  it('is the token itself where that outlives a session', async () => {
    const token = await signToken({ exp: NOW + 86_400 });
    const answer = await edge().get(`${START}?token=${token}&cookie=1`);
    expect(answer.headers.get('set-cookie')).toContain(
      `rill_token=${token}; Path=/live/show/; Max-Age=86400;`,
    );
    expect(await answer.text()).toBe(MULTIVARIANT);
  });

  it('becomes the session where a short-lived one was sent', async () => {
    const headers = { cookie: `rill_token=${await signToken(SHORT)}` };
    const answer = await edge().get(START, { headers });
    expect(answer.headers.get('set-cookie')).toContain('rill_token=s1.');
    expect(await answer.text()).toBe(MULTIVARIANT);
  });

  it('is not set where a header would come before it', async () => {
    const headers = { authorization: `Bearer ${await signToken(SHORT)}` };
    const url = `${START}?cookie=1`;
    const answer = await edge().get(url, { headers });
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect((await addresses(answer, url))[0]?.pathname).toMatch(/^\/t\/s1\./);
  });
});

describe('counted sessions', () => {
  const counted = async (viewer: string, loser: 'oldest' | 'newest'): Promise<string> =>
    `/t/${await signToken({ ...SHORT, exp: NOW + 50, sub: viewer, sessions: { limit: 1, loser } })}${START}`;
  const bindings = { VIEWER_SESSIONS: env.VIEWER_SESSIONS };

  it('are refused beyond the limit where the newest loses', async () => {
    const device = edge({ env: bindings });
    const url = await counted('newest-loses', 'newest');
    const [child] = await addresses(await device.get(url), url);
    const refused = await device.get(url);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30']);
    expect((await device.get(child ?? '')).status).toBe(200);
  });

  it('cut the first where the oldest loses, with the heartbeat that comes after', async () => {
    const device = edge({ env: bindings });
    const url = await counted('oldest-loses', 'oldest');
    const [first] = await addresses(await device.get(url), url);
    const [second] = await addresses(await device.get(url), url);
    device.now = NOW + 10;
    expect((await device.get(first ?? '')).status).toBe(200);
    await Promise.all(device.work);
    expect((await device.get(first ?? '')).status).toBe(429);
    expect((await device.get(second ?? '')).status).toBe(200);
  });

  it('are known at every location: an edge that never saw the session asks first', async () => {
    const url = await counted('everywhere', 'oldest');
    const [first] = await addresses(await edge({ env: bindings }).get(url), url);
    await edge({ env: bindings }).get(url);
    expect((await edge({ env: bindings }).get(first ?? '')).status).toBe(429);
  });

  it('are not got around by asking for media with the token itself', async () => {
    const url = await counted('around', 'newest');
    expect((await edge({ env: bindings }).get(url.replace('index.m3u8', '360p/index.m3u8'))).status).toBe(
      403,
    );
  });

  it('ask the viewer’s object once a heartbeat, and let viewers play while it does not answer', async () => {
    const calls: SessionCall[] = [];
    let broken = false;
    const hear = async (call: SessionCall): Promise<SessionAnswer> => {
      calls.push(call);
      if (broken) {
        throw new Error('overloaded');
      }
      return { held: true, started: NOW * 1000 };
    };
    const device = edge({
      env: {
        VIEWER_SESSIONS: { getByName: () => ({ hear, claim: async () => true, list: async () => [] }) },
      },
    });
    const url = await counted('heartbeat', 'newest');
    const [child] = await addresses(await device.get(url), url);
    for (let second = 0; second < 30; second += 1) {
      device.now = NOW + second;
      expect((await device.get(child ?? '')).status).toBe(200);
    }
    await Promise.all(device.work);
    expect(calls.length).toBe(3);
    broken = true;
    device.now = NOW + 100;
    expect((await device.get(child ?? '')).status).toBe(200);
    expect((await device.get(url)).status).toBe(401);
    device.now = NOW;
    expect((await device.get(url)).status).toBe(200);
  });
});

describe('a public stream', () => {
  const snapshot = snapshotOf({
    policies: { default: { access: 'token', rules: [] }, streams: { show: { access: 'public', rules: [] } } },
  });

  it('plays without a token, with any, and for every cache', async () => {
    const device = edge({ env: { RILL_PLAY_SECRET: '' } });
    device.snapshot = snapshot;
    for (const url of [START, `/t/bad${START}`, `${START}?token=bad`]) {
      const answer = await device.get(url, { headers: { cookie: 'rill_token=bad' } });
      expect([answer.status, await answer.text()]).toEqual([200, MULTIVARIANT]);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=1');
    }
  });

  it('is one alone: others still ask for a token', async () => {
    const device = edge();
    device.snapshot = snapshot;
    expect((await device.get('/live/news/index.m3u8')).status).toBe(401);
  });
});
