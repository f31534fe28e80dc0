import { base64url } from 'jose';
import { describe, expect, it } from 'vitest';
import { NOW, PLAY_SECRET, signToken, testEnv } from '../testing/fixture.ts';
import { createGateway } from './app.ts';

const MULTIVARIANT = `#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=5000000,RESOLUTION=1920x1080
1080p/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360
360p/index.m3u8
`;
/** So long that no session outlives it. */
const LONG = { exp: NOW + 86_400 };
const MEDIA = `#EXTM3U\n#EXTINF:2,\n7-1.m4s\n${'#EXT-X-PART:DURATION=0.5,URI="7-2.0.m4s"\n'.repeat(40)}`;

/** A gateway over a delivery that remembers what it was asked. */
function gateway(): {
  readonly asked: Request[];
  readonly get: (path: string, init?: RequestInit) => Promise<Response>;
} {
  const asked: Request[] = [];
  const deliver = async (request: Request): Promise<Response> => {
    asked.push(request);
    return delivered(new URL(request.url).pathname);
  };
  const app = createGateway({ deliver, now: () => NOW });
  const get = async (path: string, init?: RequestInit): Promise<Response> =>
    app.fetch(new Request(`https://edge.example${path}`, init), testEnv({}));
  return { asked, get };
}

function delivered(path: string): Response {
  if (path.endsWith('.m4s')) {
    const headers = { 'content-type': 'video/mp4', 'content-length': '10', etag: '"m"' };
    return new Response('0123456789', {
      headers: { ...headers, 'cache-control': 'public, max-age=31536000, immutable', 'x-internal': '1' },
    });
  }
  const body = path === '/live/show/index.m3u8' ? MULTIVARIANT : MEDIA;
  return new Response(body, {
    headers: {
      'content-type': 'application/vnd.apple.mpegurl',
      'content-length': String(body.length),
      'cache-control': 'public, max-age=1',
      etag: '"p"',
    },
  });
}

async function textOf(answer: Response): Promise<string> {
  return new TextDecoder().decode(await answer.arrayBuffer());
}

describe('where a token travels', () => {
  it('plays with a token in path, query, Authorization, CTA-Common-Access-Token and cookie', async () => {
    const token = await signToken();
    const { get } = gateway();
    const answers = await Promise.all([
      get(`/t/${token}/live/show/index.m3u8`),
      get(`/live/show/index.m3u8?token=${token}`),
      get('/live/show/index.m3u8', { headers: { authorization: `Bearer ${token}` } }),
      get('/live/show/index.m3u8', { headers: { 'cta-common-access-token': token } }),
      get('/live/show/index.m3u8', { headers: { cookie: `a=b; rill_token=${token}` } }),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200]);
  });

  it('judges the first place alone: path before query before Authorization before cookie', async () => {
    const token = await signToken();
    const { get } = gateway();
    const init = { headers: { authorization: 'Bearer bad', cookie: `rill_token=${token}` } };
    expect((await get(`/t/bad/live/show/index.m3u8?token=${token}`)).status).toBe(401);
    expect((await get('/live/show/index.m3u8', init)).status).toBe(401);
    expect((await get(`/live/show/index.m3u8?token=${token}`, init)).status).toBe(200);
  });

  it('lets shared caches keep an answer only where the URL itself is the right to it', async () => {
    const token = await signToken();
    const { get } = gateway();
    const byPath = await get(`/t/${token}/live/show/360p/7-1.m4s`);
    const byHeader = await get('/live/show/360p/7-1.m4s', { headers: { authorization: `Bearer ${token}` } });
    expect(byPath.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(byHeader.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
  });
});

describe('which tokens play', () => {
  const statusOf = async (token: string, init?: RequestInit): Promise<number> =>
    (await gateway().get(`/t/${token}/live/show/index.m3u8`, init)).status;

  it.each([
    ['expired', { exp: NOW - 6 }, 401],
    ['expired within the forgiven clock difference', { exp: NOW - 4 }, 200],
    ['not before a time in the future', { nbf: NOW + 60 }, 401],
    ['without exp', { exp: undefined }, 401],
    ['with exp as text', { exp: 'tomorrow' }, 401],
    ['without a stream', { stream: undefined }, 401],
    ['for another stream', { stream: 'other' }, 403],
    ['for a country, the viewer elsewhere', { country: ['DE'] }, 451],
  ])('a token %s', async (_, claims, status) => {
    expect(await statusOf(await signToken(claims))).toBe(status);
  });

  it('judges the country the platform saw', async () => {
    const token = await signToken({ country: ['DE'] });
    expect(await statusOf(token, { cf: { country: 'DE' } })).toBe(200);
    expect(await statusOf(token, { cf: { country: 'FR' } })).toBe(451);
  });

  it('refuses alg none, other algorithms, another key, a changed payload, garbage and oversize', async () => {
    const token = await signToken();
    const [header = '', payload = '', signature = ''] = token.split('.');
    const none = base64url.encode(JSON.stringify({ alg: 'none' }));
    const hs512 = base64url.encode(JSON.stringify({ alg: 'HS512' }));
    const changed = base64url.encode(JSON.stringify({ stream: 'show', exp: NOW + 9_999 }));
    const bad = [
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${hs512}.${payload}.${signature}`,
      `${header}.${changed}.${signature}`,
      `${header}.${payload}`,
      await signToken({}, `${PLAY_SECRET}!`),
      'garbage',
      '..',
      '%00',
      '%ff%fe.%2e.%2F',
      `${header}.${payload}.${'A'.repeat(5_000)}`,
    ];
    for (const text of bad) {
      expect([text, await statusOf(text)]).toEqual([text, 401]);
    }
  });

  it('asks for a token, says little, and stores no denial', async () => {
    const missing = await gateway().get('/live/show/index.m3u8');
    expect(missing.status).toBe(401);
    expect(missing.headers.get('www-authenticate')).toBe('Bearer realm="rill"');
    expect(missing.headers.get('cache-control')).toBe('no-store');
    expect(await missing.text()).toBe('{"error":"unauthorized"}');
  });

  it('forgets a verified token when it expires', async () => {
    let now = NOW;
    const app = createGateway({ deliver: async () => delivered('/live/show/index.m3u8'), now: () => now });
    const url = `https://edge.example/t/${await signToken()}/live/show/index.m3u8`;
    expect((await app.fetch(new Request(url), testEnv({}))).status).toBe(200);
    now = NOW + 66;
    expect((await app.fetch(new Request(url), testEnv({}))).status).toBe(401);
  });

  it.each([undefined, '', 'too short'])('answers 503 with the secret %j', async (secret) => {
    const app = createGateway({ deliver: async () => delivered('/'), now: () => NOW });
    const request = new Request(`https://edge.example/t/${await signToken()}/live/show/index.m3u8`);
    expect((await app.fetch(request, { ...testEnv({}), RILL_PLAY_SECRET: secret })).status).toBe(503);
  });
});

describe('the canonical request', () => {
  it('has path and sorted delivery directives, and nothing of the viewer', async () => {
    const token = await signToken();
    const { asked, get } = gateway();
    const query = `CMCD=bl%3D1&_HLS_part=2&utm=x&token=${token}&_HLS_foo=1&_HLS_msn=4&_HLS_skip=YES`;
    const headers = {
      authorization: `Bearer ${token}`,
      cookie: `rill_token=${token}`,
      'cmcd-session': 'sid="x"',
      'user-agent': 'player',
      range: 'bytes=0-1',
    };
    await get(`/live/show/360p/index.m3u8?${query}`, { headers });
    const [request] = asked;
    expect(request?.url).toBe(
      'https://delivery.rill/live/show/360p/index.m3u8?_HLS_msn=4&_HLS_part=2&_HLS_skip=YES',
    );
    expect([...(request?.headers ?? [])]).toEqual([]);
    expect(request?.method).toBe('GET');
  });

  it('has no query for media and the multivariant playlist', async () => {
    const token = await signToken();
    const { asked, get } = gateway();
    await get(`/t/${token}/live/show/360p/7-1.m4s?_HLS_msn=1&x=2`);
    await get(`/t/${token}/live/show/index.m3u8?_HLS_msn=1`);
    expect(asked.map((request) => request.url)).toEqual([
      'https://delivery.rill/live/show/360p/7-1.m4s',
      'https://delivery.rill/live/show/index.m3u8',
    ]);
  });

  it.each([
    '/live/Show/index.m3u8',
    '/live/show/..%2f..%2fsecret/index.m3u8',
    '/live/%73how/index.m3u8',
    '/live/sh%C3%B6w/index.m3u8',
    `/live/${'a'.repeat(300)}/index.m3u8`,
    '/live/show/360p/7-1.mp4',
    '/live',
    '/t/token',
    '/t//live/show/index.m3u8',
    '/nothing',
  ])('is not made of %s', async (path) => {
    const { asked, get } = gateway();
    expect((await get(path)).status).toBe(404);
    expect(asked).toEqual([]);
  });
});

describe('what a viewer gets', () => {
  it('is the same text for all with the token in the path', async () => {
    const { get } = gateway();
    const answer = await get(`/t/${await signToken()}/live/show/360p/index.m3u8`);
    expect(await textOf(answer)).toBe(MEDIA);
  });

  it('carries a query token on every URI', async () => {
    const token = await signToken(LONG);
    const answer = await gateway().get(`/live/show/index.m3u8?token=${token}`);
    expect(await textOf(answer)).toContain(`\n360p/index.m3u8?token=${token}\n`);
  });

  it('has no variant above the height of the grant', async () => {
    const answer = await gateway().get(`/t/${await signToken({ maxHeight: 480 })}/live/show/index.m3u8`);
    const text = await textOf(answer);
    expect(text).not.toContain('1080p');
    expect(text).toContain('360p/index.m3u8');
    expect(answer.headers.get('content-length')).toBe(String(text.length));
  });

  it.each(['index.m3u8', '7-1.m4s', '7-init.mp4', '7-1.0.m4s'])(
    'is 403 for %s of a rendition above the height of the grant, be its URL guessed',
    async (file) => {
      const token = await signToken({ maxHeight: 480 });
      const { asked, get } = gateway();
      expect((await get(`/t/${token}/live/show/1080p/${file}`)).status).toBe(403);
      expect((await get(`/t/${token}/live/show/guessed/${file}`)).status).toBe(403);
      expect((await get(`/t/${token}/live/show/360p/${file}`)).status).toBe(200);
      expect((await get(`/t/${await signToken()}/live/show/1080p/${file}`)).status).toBe(200);
      expect(asked.filter(({ url }) => url.endsWith('/show/index.m3u8')).length).toBe(1);
    },
  );

  it('has no variant above the bitrate of the grant, and is 403 for its media', async () => {
    const token = await signToken({ ...LONG, maxBitrate: 1_000_000 });
    const { get } = gateway();
    const text = await textOf(await get(`/t/${token}/live/show/index.m3u8`));
    expect(text).not.toContain('1080p');
    expect(text).toContain('360p/index.m3u8');
    expect((await get(`/t/${token}/live/show/1080p/7-1.m4s`)).status).toBe(403);
    expect((await get(`/t/${token}/live/show/guessed/index.m3u8`)).status).toBe(403);
    expect((await get(`/t/${token}/live/show/360p/7-1.m4s`)).status).toBe(200);
    const little = await signToken({ maxBitrate: 1 });
    expect((await get(`/t/${little}/live/show/index.m3u8`)).status).toBe(403);
  });

  it('is 403 where every variant is above the height of the grant', async () => {
    const answer = await gateway().get(`/t/${await signToken({ maxHeight: 200 })}/live/show/index.m3u8`);
    expect(answer.status).toBe(403);
  });

  it('begins where the query says and names the session on playlists', async () => {
    const { asked, get } = gateway();
    const path = `/t/${await signToken(LONG)}/live/show/index.m3u8`;
    const text = await textOf(await get(`${path}?start=-12&session=abc`));
    expect(text).toContain('#EXT-X-START:TIME-OFFSET=-12.000\n');
    expect(text).toContain('\n360p/index.m3u8?session=abc\n');
    expect(await textOf(await get(`${path}?start=soon&session=%22%0A`))).toBe(MULTIVARIANT);
    expect(asked.map(({ url }) => new URL(url).search)).toEqual(['', '']);
  });

  it('is readable from every origin and has no internal headers', async () => {
    const answer = await gateway().get(`/t/${await signToken()}/live/show/360p/7-1.m4s`);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-expose-headers')).toContain('Content-Range');
    expect(answer.headers.get('x-internal')).toBeNull();
  });

  it('is a range of a segment, or 416 beyond its end', async () => {
    const path = `/t/${await signToken()}/live/show/360p/7-1.m4s`;
    const part = await gateway().get(path, { headers: { range: 'bytes=2-4' } });
    expect([part.status, part.headers.get('content-range'), await textOf(part)]).toEqual([
      206,
      'bytes 2-4/10',
      '234',
    ]);
    const beyond = await gateway().get(path, { headers: { range: 'bytes=10-' } });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */10']);
    const changed = await gateway().get(path, { headers: { range: 'bytes=2-4', 'if-range': '"other"' } });
    expect(changed.status).toBe(200);
  });

  it.each([
    ['"m"', 304],
    ['W/"m"', 304],
    ['"a", "m"', 304],
    ['*', 304],
    ['"a"', 200],
  ])('is judged by If-None-Match: %s', async (tag, status) => {
    const path = `/t/${await signToken()}/live/show/360p/7-1.m4s`;
    const answer = await gateway().get(path, { headers: { 'if-none-match': tag } });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('etag')).toBe('"m"');
  });

  it('has no body on HEAD and the headers of GET', async () => {
    const answer = await gateway().get(`/t/${await signToken()}/live/show/360p/7-1.m4s`, { method: 'HEAD' });
    expect([answer.status, answer.headers.get('content-length'), await textOf(answer)]).toEqual([
      200,
      '10',
      '',
    ]);
  });

  it('is a compressed playlist when the client accepts gzip', async () => {
    const path = `/t/${await signToken()}/live/show/360p/index.m3u8`;
    const packed = await gateway().get(path, { headers: { 'accept-encoding': 'br, gzip;q=0.5' } });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(packed.headers.get('vary')).toBe('Accept-Encoding');
    expect(packed.headers.get('etag')).toBe('W/"p"');
    const same = await gateway().get(path, { headers: { 'if-none-match': 'W/"p"' } });
    expect([same.status, same.headers.get('vary')]).toEqual([304, 'Accept-Encoding']);
    const plain = await gateway().get(path, { headers: { 'accept-encoding': 'gzip;q=0' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
    const silent = { headers: { 'accept-encoding': 'br, gzip' }, cf: { clientAcceptEncoding: '' } };
    expect((await gateway().get(path, silent)).headers.get('content-encoding')).toBeNull();
  });
});

describe('methods', () => {
  it.each([
    ['/live/show/index.m3u8', 'GET, HEAD, OPTIONS'],
    ['/t/x/live/show/index.m3u8', 'GET, HEAD, OPTIONS'],
    ['/publish/show/1', 'GET, HEAD, POST, OPTIONS'],
    ['/healthz', 'GET, HEAD, OPTIONS'],
    ['/watch/show', 'GET, HEAD, OPTIONS'],
  ])('other than those of %s are answered 405', async (path, allowed) => {
    const answer = await gateway().get(path, { method: 'DELETE' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allowed]);
  });

  it('answers a preflight, to be kept', async () => {
    const answer = await gateway().get('/live/show/index.m3u8', { method: 'OPTIONS' });
    expect(answer.status).toBe(204);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD, OPTIONS',
      'access-control-allow-headers': expect.stringContaining('Authorization'),
      'access-control-max-age': '7200',
    });
  });

  it('tells its health', async () => {
    expect(await (await gateway().get('/healthz')).json()).toEqual({ status: 'ok' });
  });
});
