/** HTTP towards players and caches; numbers as in docs/ll-hls.md. */

import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { begin, init, part, segments } from '../../edge-worker/hub/window-fixture.ts';
import { startBareEdge, type BareEdge, type HandMadeStream, type WireAnswer } from './bare-edge.ts';

const IMMUTABLE = 'public, max-age=31536000, immutable';
const REFUSAL = 'public, max-age=1, stale-if-error=0';
const KINDS = ['index.m3u8', 'v/index.m3u8', 'v/E-init.mp4', 'v/E-8.m4s', 'v/E-8.0.m4s'] as const;

let edge: BareEdge;
let stream: HandMadeStream;

beforeAll(async () => {
  edge = await startBareEdge();
  stream = await edge.publish('live', begin(), init('v'), init('a'), ...segments(0, 9), part('v', 9, 0));
});

afterAll(async () => {
  await edge?.close();
});

const file = (pattern: string): string => pattern.replace('E-', `${stream.epoch}-`);

/** One answer of each kind that the edge gives. */
async function answersOfEveryKind(): Promise<ReadonlyMap<string, WireAnswer>> {
  const other = await edge.token('other');
  const segment = file('v/E-8.m4s');
  const { headers } = await stream.get(segment);
  const asked: readonly (readonly [string, Promise<WireAnswer>])[] = [
    ...KINDS.map((kind) => [kind, stream.get(file(kind))] as const),
    ['blocking', stream.get('v/index.m3u8?_HLS_msn=8')],
    ['range', stream.get(segment, { range: 'bytes=0-3' })],
    ['beyond', stream.get(segment, { range: 'bytes=99999-' })],
    ['not modified', stream.get(segment, { 'if-none-match': headers.etag ?? '' })],
    ['bad directive', stream.get('v/index.m3u8?_HLS_part=0')],
    ['no such rendition', stream.get('w/index.m3u8')],
    ['no such media', stream.get(file('v/E-99.m4s'))],
    ['no such file', stream.get('v/other.txt')],
    ['no token', edge.send('/live/live/index.m3u8')],
    ['another stream', edge.send(`/t/${other}/live/live/index.m3u8`)],
    ['wrong method', stream.ask('DELETE', 'index.m3u8')],
    ['no such path', edge.send('/nowhere')],
    ['preflight', stream.ask('OPTIONS', segment)],
  ];
  return new Map(await Promise.all(asked.map(async ([kind, answer]) => [kind, await answer] as const)));
}

describe('rule 18: CORS', () => {
  test('every answer may be read from every origin, refusals as well', async () => {
    for (const [kind, answer] of await answersOfEveryKind()) {
      expect([kind, answer.headers['access-control-allow-origin']]).toEqual([kind, '*']);
      expect(answer.headers['access-control-expose-headers']).toContain('Content-Range');
      expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    }
  });

  test('a preflight is answered for every kind of path, without a token, and kept for hours', async () => {
    const asking = {
      origin: 'https://player.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization,range,cmcd-session',
    };
    for (const path of KINDS.map((kind) => `/live/live/${file(kind)}`)) {
      const answer = await edge.send(path, { method: 'OPTIONS', headers: asking });
      expect(answer.status).toBe(204);
      expect(answer.headers['access-control-allow-methods']).toContain('GET');
      const allowed = (answer.headers['access-control-allow-headers'] ?? '').toLowerCase();
      for (const header of asking['access-control-request-headers'].split(',')) {
        expect(allowed).toContain(header);
      }
      expect(Number(answer.headers['access-control-max-age'])).toBeGreaterThanOrEqual(3600);
    }
  });
});

describe('rule 19: encoding', () => {
  test.each(['gzip', 'GZIP', 'br;q=1.0, gzip;q=0.5, *;q=0', 'deflate, gzip, br, zstd'])(
    'a playlist is compressed for a client that accepts %j',
    async (accepted) => {
      for (const query of ['', '?_HLS_msn=8', '?_HLS_skip=YES']) {
        const plain = await stream.get(`v/index.m3u8${query}`);
        const answer = await stream.get(`v/index.m3u8${query}`, { 'accept-encoding': accepted });
        expect(answer.headers['content-encoding']).toBe('gzip');
        expect(gunzipSync(answer.bytes).toString()).toBe(plain.text);
        expect(answer.bytes.length).toBeLessThan(plain.bytes.length / 2);
      }
    },
  );

  test.each(['', 'identity', 'gzip;q=0', 'br'])('and is not for one that accepts %j', async (accepted) => {
    const answer = await stream.get('v/index.m3u8', { 'accept-encoding': accepted });
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.text).toMatch(/^#EXTM3U\n/);
  });

  test('media is never compressed', async () => {
    for (const kind of KINDS.slice(2)) {
      const answer = await stream.get(file(kind), { 'accept-encoding': 'gzip' });
      expect(answer.headers['content-encoding']).toBeUndefined();
      expect(answer.headers.vary).toBeUndefined();
    }
  });

  test('Vary names the encoding and nothing else, once, on a 304 as well', async () => {
    for (const headers of [{}, { 'accept-encoding': 'gzip' }]) {
      for (const path of ['index.m3u8', 'v/index.m3u8', 'v/index.m3u8?_HLS_msn=8']) {
        const answer = await stream.get(path, headers);
        expect([path, answer.headers.vary]).toEqual([path, 'Accept-Encoding']);
        const same = await stream.get(path, { ...headers, 'if-none-match': answer.headers.etag ?? '' });
        expect([same.status, same.headers.vary]).toEqual([304, 'Accept-Encoding']);
      }
    }
  });
});

describe('rule 20: Cache-Control', () => {
  const EXPECTED: Readonly<Record<string, readonly [number, string]>> = {
    'index.m3u8': [200, 'public, max-age=1, stale-if-error=0'],
    'v/index.m3u8': [200, 'public, max-age=0, s-maxage=1, stale-if-error=0'],
    'v/E-init.mp4': [200, IMMUTABLE],
    'v/E-8.m4s': [200, IMMUTABLE],
    'v/E-8.0.m4s': [200, IMMUTABLE],
    blocking: [200, 'public, max-age=12, stale-if-error=0'],
    range: [206, IMMUTABLE],
    beyond: [416, 'no-store'],
    'not modified': [304, IMMUTABLE],
    'bad directive': [400, REFUSAL],
    'no such rendition': [404, REFUSAL],
    'no such media': [404, REFUSAL],
    'no such file': [404, REFUSAL],
    'no token': [401, 'no-store'],
    'another stream': [403, 'no-store'],
    'wrong method': [405, 'no-store'],
    'no such path': [404, REFUSAL],
  };

  test('is, for each kind of answer, as the table says', async () => {
    const answers = await answersOfEveryKind();
    const got = Object.keys(EXPECTED).map((kind) => {
      const answer = answers.get(kind);
      return [kind, [answer?.status, answer?.headers['cache-control']]];
    });
    expect(Object.fromEntries(got)).toEqual(EXPECTED);
  });

  test('keeps out of shared caches what the URL alone does not open', async () => {
    const answer = await edge.send('/live/live/v/index.m3u8', {
      headers: { authorization: `Bearer ${stream.token}` },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers['cache-control']).toMatch(/^private, /);
  });
});

describe('rule 21: validators, ranges and HEAD', () => {
  test('every answer has an entity tag, and If-None-Match with it is answered 304 without a body', async () => {
    for (const kind of KINDS) {
      const { headers } = await stream.get(file(kind));
      expect(headers.etag).toMatch(/^"[!#-~]+"$/);
      for (const condition of [headers.etag ?? '', `W/${headers.etag}`, `"x", ${headers.etag}`, '*']) {
        const answer = await stream.get(file(kind), { 'if-none-match': condition });
        expect([answer.status, answer.bytes.length, answer.headers.etag]).toEqual([304, 0, headers.etag]);
      }
      expect((await stream.get(file(kind), { 'if-none-match': '"x"' })).status).toBe(200);
    }
  });

  test('the tag of a playlist changes with it', async () => {
    const moving = await edge.publish('moving', begin(0, ['v']), init('v'), part('v', 0, 0));
    const before = await moving.get('v/index.m3u8');
    await moving.publish(part('v', 0, 1));
    const condition = { 'if-none-match': before.headers.etag ?? '' };
    expect((await moving.get('v/index.m3u8', condition)).status).toBe(200);
  });

  test.each([
    ['bytes=0-3', '<v 8', 'bytes 0-3/14'],
    ['bytes=4-', '.0><v 8.1>', 'bytes 4-13/14'],
    ['bytes=-4', '8.1>', 'bytes 10-13/14'],
    ['bytes=7-999999', '<v 8.1>', 'bytes 7-13/14'],
    ['bytes=-999999', '<v 8.0><v 8.1>', 'bytes 0-13/14'],
  ])('%s of a segment is answered 206', async (range, text, contentRange) => {
    const answer = await stream.get(file('v/E-8.m4s'), { range });
    expect([answer.status, answer.text]).toEqual([206, text]);
    expect(answer.headers['content-range']).toBe(contentRange);
    expect(answer.headers['content-length']).toBe(String(text.length));
  });

  test.each(['bytes=14-', 'bytes=14-20', 'bytes=999999999999-', 'bytes=-0'])(
    '%s is beyond the end and answered 416',
    async (range) => {
      const answer = await stream.get(file('v/E-8.m4s'), { range });
      expect([answer.status, answer.headers['content-range'], answer.text]).toEqual([416, 'bytes */14', '']);
    },
  );

  test.each([
    'bytes=3-2',
    'bytes=0-1,4-5',
    'lines=1-2',
    'bytes=a-b',
    `bytes=${'9'.repeat(40)}-`,
    'bytes=1e1-',
  ])('%s is answered with the whole', async (range) => {
    const answer = await stream.get(file('v/E-8.m4s'), { range });
    expect([answer.status, answer.text]).toEqual([200, '<v 8.0><v 8.1>']);
  });

  test('If-Range with another tag is answered with the whole', async () => {
    const whole = await stream.get(file('v/E-8.m4s'));
    const ranged = { range: 'bytes=0-3', 'if-range': whole.headers.etag ?? '' };
    expect((await stream.get(file('v/E-8.m4s'), ranged)).status).toBe(206);
    expect((await stream.get(file('v/E-8.m4s'), { ...ranged, 'if-range': '"x"' })).status).toBe(200);
  });

  test('HEAD is answered everywhere as GET without the body', async () => {
    const paths = [...KINDS.map(file), 'v/index.m3u8?_HLS_msn=8', 'w/index.m3u8', file('v/E-99.m4s'), 'v/x'];
    for (const path of paths) {
      const [got, head] = await Promise.all([stream.get(path), stream.ask('HEAD', path)]);
      expect([path, head.status, head.bytes.length]).toEqual([path, got.status, 0]);
      for (const name of ['etag', 'cache-control', 'content-type', 'access-control-allow-origin', 'vary']) {
        expect([path, name, head.headers[name]]).toEqual([path, name, got.headers[name]]);
      }
      if (got.status === 200) {
        expect([path, head.headers['content-length']]).toEqual([path, got.headers['content-length']]);
      }
    }
  });
});

describe('rule 22: one copy for all', () => {
  test('token, CMCD and unknown parameters change neither text nor validator', async () => {
    const plain = await stream.get('v/index.m3u8?_HLS_msn=8&_HLS_part=1');
    const queries = [
      'sid=a',
      'CMCD=sid%3D%22x%22',
      'token=',
      '_HLS_future=1',
      'x=%00',
      'a&a&a',
      '_hls_msn=1',
    ];
    for (const query of queries) {
      const answer = await stream.get(`v/index.m3u8?${query}&_HLS_part=1&_HLS_msn=8`, {
        'cmcd-session': 'sid="y"',
        cookie: 'session=z',
      });
      expect([query, answer.text, answer.headers.etag]).toEqual([query, plain.text, plain.headers.etag]);
    }
  });

  test('two viewers with tokens of their own in the path see the same bytes, and no cookie is set', async () => {
    const tokens = [stream.token, await edge.token('live', 'another-viewer')];
    const answers = await Promise.all(tokens.map((token) => edge.send(`/t/${token}/live/live/v/index.m3u8`)));
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(answers.every((answer) => answer.headers['set-cookie'] === undefined)).toBe(true);
  });

  test.each([
    ['%2e%2e/live/index.m3u8', 404],
    ['live%2findex.m3u8', 404],
    ['live/v%2Findex.m3u8', 404],
    ['live/v/..%2findex.m3u8', 404],
    ['live/%76/index.m3u8', 404],
    ['live//index.m3u8', 404],
    ['live/v/index.m3u8/', 404],
    ['live/./v/index.m3u8', 200],
    ['live/a/../v/index.m3u8', 200],
    ['live/a/%2e%2e/v/index.m3u8', 200],
    ['live/v/%00', 404],
    ['live/v/%', 404],
    ['live/V/index.m3u8', 404],
    [`live/v/${'9'.repeat(40)}-0.m4s`, 404],
    ['live/v/01700000000-8.m4s', 404],
    ['live/v/1700000000-08.m4s', 404],
    ['live/v/1700000000-8.m4s%20', 404],
  ])('a thing has one path: %s is answered %d', async (path, status) => {
    const answer = await edge.send(`/t/${stream.token}/live/${path}`);
    expect(answer.status).toBe(status);
  });
});
