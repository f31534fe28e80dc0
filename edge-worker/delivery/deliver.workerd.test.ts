import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { scriptedHubs, testEnv } from '../testing/fixture.ts';
import { deliver } from './deliver.ts';

const PLAYLIST = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n';
const TIMING = { 'rill-part-target': '0.5', 'rill-target-duration': '2' };

async function ask(path: string, hub: (request: Request) => Response | Promise<Response>): Promise<Response> {
  const bindings = testEnv({ HUB: scriptedHubs(hub), MEDIA: env.MEDIA });
  return deliver(new Request(`https://delivery.rill${path}`), bindings);
}

describe('playlists', () => {
  it('asks the hub with the directives and keeps a blocking answer for six target durations', async () => {
    let asked = '';
    const answer = await ask('/live/show/360p/index.m3u8?_HLS_msn=4&_HLS_part=2', (request) => {
      asked = new URL(request.url).pathname + new URL(request.url).search;
      return new Response(PLAYLIST, { headers: TIMING });
    });
    expect(asked).toBe('/live/show/360p/index.m3u8?_HLS_msn=4&_HLS_part=2');
    expect(await answer.text()).toBe(PLAYLIST);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/vnd.apple.mpegurl',
      'cache-control': 'public, max-age=12, stale-if-error=0',
      'content-length': String(PLAYLIST.length),
      etag: expect.stringMatching(/^"[0-9a-f]{24}"$/),
    });
  });

  it('keeps a plain answer for no longer than a second', async () => {
    const answer = await ask('/live/show/360p/index.m3u8', () => new Response(PLAYLIST, { headers: TIMING }));
    expect(answer.headers.get('cache-control')).toBe('public, max-age=0, s-maxage=1, stale-if-error=0');
  });

  it('keeps the multivariant playlist for half a segment', async () => {
    const answer = await ask('/live/show/index.m3u8', () => new Response(PLAYLIST, { headers: TIMING }));
    expect(answer.headers.get('cache-control')).toBe('public, max-age=1, stale-if-error=0');
  });

  it.each([
    [400, 'public, max-age=1, stale-if-error=0'],
    [404, 'public, max-age=1, stale-if-error=0'],
    [503, 'no-store'],
  ])('answers %i as the hub does, with %s', async (status, policy) => {
    const answer = await ask('/live/show/360p/index.m3u8?_HLS_msn=x', () => new Response(null, { status }));
    expect(answer.status).toBe(status);
    expect(answer.headers.get('cache-control')).toBe(policy);
  });

  it('passes on why the hub refuses', async () => {
    const answer = await ask('/live/show/360p/index.m3u8?_HLS_msn=99', () => {
      return new Response('_HLS_msn is too far\n', { status: 400 });
    });
    expect(await answer.json()).toEqual({ error: 'invalid-directive', detail: '_HLS_msn is too far' });
  });

  it('answers 503 with Retry-After when the hub throws', async () => {
    const answer = await ask('/live/show/index.m3u8', () => {
      throw new Error('hub broke');
    });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.text()).not.toContain('broke');
  });
});

describe('media', () => {
  const askStorage = (): Response =>
    new Response(null, { status: 404, headers: { 'rill-lookup': 'storage' } });

  it('gives hot bytes of the hub, for ever', async () => {
    const answer = await ask('/live/show/360p/7-42.1.m4s', () => new Response('hot'));
    expect(await answer.text()).toBe('hot');
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'video/mp4',
      'cache-control': 'public, max-age=31536000, immutable',
      'content-length': '3',
      etag: '"360p/7-42.1.m4s"',
    });
  });

  it('gives what is no longer hot from object storage, under the same entity tag', async () => {
    await env.MEDIA.put('live/show/7/360p/42.m4s', 'stored bytes');
    const answer = await ask('/live/show/360p/7-42.m4s', askStorage);
    expect(await answer.text()).toBe('stored bytes');
    expect(answer.headers.get('content-length')).toBe('12');
    expect(answer.headers.get('etag')).toBe('"360p/7-42.m4s"');
  });

  it('joins a segment that is not stored whole from its parts', async () => {
    const knowsParts = (): Response =>
      new Response(null, { status: 404, headers: { 'rill-lookup': 'storage', 'rill-parts': '2' } });
    await env.MEDIA.put('live/show/7/360p/50.0.m4s', 'first ');
    expect((await ask('/live/show/360p/7-50.m4s', knowsParts)).status).toBe(404);
    await env.MEDIA.put('live/show/7/360p/50.1.m4s', 'second');
    const answer = await ask('/live/show/360p/7-50.m4s', knowsParts);
    expect(await answer.text()).toBe('first second');
    expect(answer.headers.get('content-length')).toBe('12');
  });

  it('answers 404 for a second when neither has it', async () => {
    const answer = await ask('/live/show/360p/7-43.m4s', askStorage);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=1, stale-if-error=0');
  });

  it('does not ask storage when the hub gave the file up', async () => {
    await env.MEDIA.put('live/show/7/360p/44.m4s', 'given up');
    const answer = await ask('/live/show/360p/7-44.m4s', () => new Response(null, { status: 404 }));
    expect(answer.status).toBe(404);
  });

  it('goes on from object storage while the hub is away', async () => {
    const broken = (): never => {
      throw new Error('hub broke');
    };
    await env.MEDIA.put('live/show/7/360p/45.m4s', 'stored');
    expect((await ask('/live/show/360p/7-45.m4s', broken)).status).toBe(200);
    expect((await ask('/live/show/360p/7-46.m4s', broken)).status).toBe(503);
  });
});
