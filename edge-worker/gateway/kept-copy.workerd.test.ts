import { describe, expect, it } from 'vitest';
import type { Answer } from '../delivery/cache/answer-store.ts';
import { gzipCopy } from '../delivery/cache/gzip-copy.ts';
import { fromKept, type Kept } from '../delivery/cache/kept.ts';
import { NOW, signToken, testEnv } from '../testing/fixture.ts';
import { createGateway } from './app.ts';

const PLAYLIST = `#EXTM3U\n#EXTINF:2,\n7-1.m4s\n${'#EXT-X-PART:DURATION=0.5,URI="7-2.0.m4s"\n'.repeat(40)}`;
const PLAYLIST_PATH = '/live/show/360p/index.m3u8?_HLS_msn=2&_HLS_part=0';
const PART_PATH = '/live/show/360p/7-2.0.m4s';

async function keep(body: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const answer = {
    status: 200,
    headers: { ...headers, 'content-length': String(body.length), 'x-internal': '1' },
    body: new Blob([body]),
  };
  return { ...answer, gzip: await gzipCopy(answer) };
}

const playlist = keep(PLAYLIST, {
  'content-type': 'application/vnd.apple.mpegurl',
  'cache-control': 'public, max-age=12',
  etag: '"p"',
});
const part = keep('0123456789', { 'content-type': 'video/mp4', 'cache-control': 'public', etag: '"m"' });

/** Asks a gateway that keeps the answer itself, and one that gets it from delivery. */
async function askBoth(path: string, init: RequestInit, query = ''): Promise<readonly Response[]> {
  const answer = await (path === PART_PATH ? part : playlist);
  const kept: Kept = { answer, age: 3, how: 'hit' };
  const { headers, body } = fromKept(kept);
  const deliver = async (): Promise<Response> => new Response(body, { headers });
  const gateways = [
    createGateway({ deliver: neverAsked, now: () => NOW, findKept: () => kept }),
    createGateway({ deliver, now: () => NOW }),
  ];
  const url = `https://edge.example${path}${query}`;
  return Promise.all(gateways.map((one) => one.fetch(new Request(url, init), testEnv({}))));
}

async function neverAsked(): Promise<Response> {
  throw new Error('what is kept is not asked of delivery');
}

async function seen(answer: Response | undefined): Promise<unknown> {
  const bytes = (await answer?.arrayBuffer()) ?? new ArrayBuffer(0);
  const isPacked = new Uint8Array(bytes)[0] === 0x1f;
  const stream = new Blob([bytes]).stream();
  const plain = isPacked ? stream.pipeThrough(new DecompressionStream('gzip')) : stream;
  const body = new TextDecoder().decode(await new Response(plain).arrayBuffer());
  return { status: answer?.status, headers: Object.fromEntries(answer?.headers ?? []), body };
}

describe('what this edge keeps is answered as delivery answers it', () => {
  it.each<[string, RequestInit]>([
    ['whole', {}],
    ['compressed', { headers: { 'accept-encoding': 'gzip, br' } }],
    ['with gzip refused', { headers: { 'accept-encoding': 'gzip;q=0' } }],
    ['to HEAD', { method: 'HEAD', headers: { 'accept-encoding': 'gzip' } }],
    ['known to the client', { headers: { 'if-none-match': 'W/"p", "m"', 'accept-encoding': 'gzip' } }],
    ['known to the client in another version', { headers: { 'if-none-match': '"other"' } }],
    ['in part', { headers: { range: 'bytes=2-4' } }],
    ['beyond its end', { headers: { range: 'bytes=1000000-' } }],
  ])('%s', async (_name, init) => {
    const token = await signToken();
    for (const path of [PLAYLIST_PATH, PART_PATH]) {
      const [ours, delivered] = await askBoth(`/t/${token}${path}`, init);
      expect(await seen(ours)).toEqual(await seen(delivered));
    }
  });

  it('with a token in query, header or cookie', async () => {
    const token = await signToken();
    const inits = [{ authorization: `Bearer ${token}` }, { cookie: `rill_token=${token}` }];
    for (const path of [PLAYLIST_PATH, PART_PATH]) {
      const asked = [
        askBoth(path, {}, `${path === PART_PATH ? '?' : '&'}token=${token}`),
        ...inits.map((headers) => askBoth(path, { headers })),
      ];
      for (const [ours, delivered] of await Promise.all(asked)) {
        expect(await seen(ours)).toEqual(await seen(delivered));
      }
    }
  });
});

it('compresses a playlist once for everyone', async () => {
  const init = { headers: { 'accept-encoding': 'gzip' } };
  const [ours] = await askBoth(`/t/${await signToken()}${PLAYLIST_PATH}`, init);
  const { gzip } = await playlist;
  expect(await ours?.arrayBuffer()).toEqual(await gzip?.arrayBuffer());
});

it('tells the age and how an answer was come by anew', async () => {
  const answer = await part;
  let kept: Kept = { answer, age: undefined, how: 'fwd=uri-miss; collapsed' };
  const gateway = createGateway({ deliver: neverAsked, now: () => NOW, findKept: async () => kept });
  const ask = async (): Promise<readonly (string | null)[]> => {
    const url = `https://edge.example/t/${await signToken()}${PART_PATH}`;
    const { headers } = await gateway.fetch(new Request(url), testEnv({}));
    return [headers.get('cache-status'), headers.get('age')];
  };
  expect(await ask()).toEqual(['rill; fwd=uri-miss; collapsed', null]);
  kept = { answer, age: 0, how: 'hit' };
  expect(await ask()).toEqual(['rill; hit', '0']);
  kept = { answer, age: 1, how: 'hit' };
  expect(await ask()).toEqual(['rill; hit', '1']);
});
