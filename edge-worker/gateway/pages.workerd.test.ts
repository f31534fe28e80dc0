import { describe, expect, it } from 'vitest';
import { testEnv } from '../testing/fixture.ts';
import { createGateway } from './app.ts';

const app = createGateway({ deliver: () => Promise.reject(new Error('pages ask no delivery')) });
const assets = {
  fetch: async (input: RequestInfo): Promise<Response> => {
    const { pathname } = new URL(new Request(input).url);
    return ['/watch.html', '/assets/watch-1.js', '/assets/rill-qoe.js'].includes(pathname)
      ? new Response(pathname, { headers: { 'content-type': 'text/html', etag: '"1"' } })
      : new Response('none', { status: 404 });
  },
};

async function get(path: string): Promise<Response> {
  return app.fetch(new Request(`https://edge.example${path}`), testEnv({ ASSETS: assets }));
}

describe('pages', () => {
  it('serves the watch page of any stream, loading nothing from another host and telling nobody its address', async () => {
    const answer = await get('/watch/show?token=x');
    expect([answer.status, await answer.text()]).toEqual([200, '/watch.html']);
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(answer.headers.get('content-security-policy')).not.toMatch(/https?:|\*|unsafe/);
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('cache-control')).toBe('no-cache');
  });

  it('serves files named by their content for ever', async () => {
    const answer = await get('/assets/watch-1.js');
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  });

  it('serves the player module to any page under a name that stays, so not for ever', async () => {
    const answer = await get('/assets/rill-qoe.js');
    expect(answer.headers.get('cache-control')).toMatch(/^public, max-age=3600,/);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  });

  it.each(['/watch/', '/watch/Show', '/watch/%2e%2e', '/watch/sh%C3%B6w', '/assets/none.js', '/watch/a/b'])(
    'answers %s with 404',
    async (path) => {
      expect((await get(path)).status).toBe(404);
    },
  );
});
