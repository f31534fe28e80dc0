import { describe, expect, it } from 'vitest';
import { MAX_BODY_BYTES } from '../../shared/wire/publish.ts';
import { scriptedHubs, SERVICE_TOKEN, testEnv } from '../testing/fixture.ts';
import { createGateway } from './app.ts';

const app = createGateway({ deliver: () => Promise.reject(new Error('publishing asks no delivery')) });
const hub = scriptedHubs(async (request) =>
  Response.json({
    asked: `${request.method} ${new URL(request.url).pathname}`,
    bytes: (await request.arrayBuffer()).byteLength,
    authorization: request.headers.get('authorization'),
  }),
);

async function send(path: string, init: RequestInit = {}, token = SERVICE_TOKEN): Promise<Response> {
  const headers = new Headers({ 'content-length': '3', ...Object.fromEntries(new Headers(init.headers)) });
  headers.set('authorization', `Bearer ${token}`);
  const request = new Request(`https://edge.example${path}`, { ...init, headers });
  return app.fetch(request, testEnv({ HUB: hub }));
}

describe('publishing', () => {
  it('forwards an update to the hub without the service token', async () => {
    const answer = await send('/publish/show/1800000000', { method: 'POST', body: 'abc' });
    expect(await answer.json()).toEqual({
      asked: 'POST /publish/show/1800000000',
      bytes: 3,
      authorization: null,
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('asks the hub where a stream goes on', async () => {
    expect(await (await send('/publish/show')).json()).toMatchObject({ asked: 'GET /publish/show' });
  });

  it.each(['', 'x', `${SERVICE_TOKEN}x`])('refuses the service token %j', async (token) => {
    const answer = await send('/publish/show/1', { method: 'POST', body: 'abc' }, token);
    expect([answer.status, await answer.json()]).toEqual([401, { error: 'unauthorized' }]);
  });

  it('answers 503 where no service token is set', async () => {
    const request = new Request('https://edge.example/publish/show', {
      headers: { authorization: 'Bearer undefined' },
    });
    expect((await app.fetch(request, { ...testEnv({}), RILL_SERVICE_TOKEN: undefined })).status).toBe(503);
  });

  it.each([
    ['/publish/Show/1', {}, 400],
    ['/publish/..%2fshow/1', {}, 400],
    ['/publish/show', {}, 400],
    ['/publish/show/01', {}, 400],
    ['/publish/show/now', {}, 400],
    ['/publish/show/1', { 'content-length': String(MAX_BODY_BYTES + 1) }, 413],
    ['/publish/show/1', { 'content-length': 'many' }, 411],
  ])('refuses POST %s %o with %i', async (path, headers, status) => {
    expect((await send(path, { method: 'POST', body: 'abc', headers })).status).toBe(status);
  });

  it('answers 503 when the hub breaks', async () => {
    const broken = scriptedHubs(() => {
      throw new Error('hub broke');
    });
    const request = new Request('https://edge.example/publish/show', {
      headers: { authorization: `Bearer ${SERVICE_TOKEN}` },
    });
    expect((await app.fetch(request, testEnv({ HUB: broken }))).status).toBe(503);
  });
});
