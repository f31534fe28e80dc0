import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AwsClient } from 'aws4fetch';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PortInUseError, startEdgeHost, type EdgeHost } from '../edge-worker/host/edge-host.ts';

const CONFIG = `
name = "tiny"
main = "index.js"
compatibility_date = "2026-11-01"
[assets]
directory = "pages"
binding = "ASSETS"
html_handling = "none"
not_found_handling = "none"
run_worker_first = true
[[r2_buckets]]
binding = "MEDIA"
bucket_name = "tiny-media"
[[durable_objects.bindings]]
name = "COUNTER"
class_name = "Counter"
[[migrations]]
tag = "v1"
new_sqlite_classes = ["Counter"]
`;
const WORKER = `
import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers';
export class Counter extends DurableObject {
  async fetch() {
    const count = ((await this.ctx.storage.get('count')) ?? 0) + 1;
    await this.ctx.storage.put('count', count);
    return new Response(String(count));
  }
}
export class Delivery extends WorkerEntrypoint {
  fetch() { return new Response('delivered'); }
}
export default {
  async fetch(request, env, ctx) {
    switch (new URL(request.url).pathname) {
      case '/seen':
        return Response.json({ cf: request.cf, address: request.headers.get('CF-Connecting-IP'), secret: env.RILL_PLAY_SECRET, trusted: env.RILL_TRUSTED_HEADERS });
      case '/count':
        return env.COUNTER.getByName('one').fetch(request);
      case '/delivery':
        return ctx.exports.Delivery.fetch(request);
      case '/page.html':
      case '/no-page.html':
        return env.ASSETS.fetch(request);
      case '/object':
        return new Response((await env.MEDIA.get('live/a'))?.body ?? null);
      case '/playlist':
        return new Response('#EXTM3U\\n'.repeat(100), { headers: { 'Content-Type': 'application/vnd.apple.mpegurl', ETag: '"a"' } });
      case '/large':
        return new Response(new Uint8Array(1_000_000), { headers: { 'Content-Type': 'video/mp4' } });
      case '/throw':
        throw new Error('a secret of the Worker');
      default:
        return new Response('not found', { status: 404 });
    }
  },
};
`;
const silence = (): void => undefined;
const log = { debug: silence, info: silence, warn: silence, error: silence };
const secrets = {
  playSecret: 'play-secret',
  serviceToken: 'service-token',
  s3AccessKeyId: 'access-key-id',
  s3SecretAccessKey: 'secret-access-key',
};

let folder: string;
let host: EdgeHost;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'rill-edge-'));
  await writeFile(path.join(folder, 'wrangler.toml'), CONFIG);
  await writeFile(path.join(folder, 'index.js'), WORKER);
  await mkdir(path.join(folder, 'pages'));
  await writeFile(path.join(folder, 'pages/page.html'), '<p>a page');
  host = await start(0);
}, 60_000);

afterAll(async () => {
  await host?.close();
  await rm(folder, { recursive: true, force: true });
});

test('gives the Worker its secrets and the request.cf of the host, whatever the client claims', async () => {
  const headers = { 'MF-CF-Blob': '{"country":"XX"}', 'CF-Connecting-IP': '203.0.113.9' };
  const seen = await (await fetch(`${host.url}/seen`, { headers })).json();
  expect(seen).toEqual({
    cf: { country: 'DE' },
    address: null,
    secret: 'play-secret',
    trusted: { address: 'X-Real-IP', hops: 1 },
  });
});

test('gives the Worker the request.cf of the host where a client claims nothing but that', async () => {
  const seen = await fetch(`${host.url}/seen`, { headers: { 'MF-CF-Blob': '{"country":"XX"}' } });
  expect(await seen.json()).toMatchObject({ cf: { country: 'DE' }, address: null });
});

test('reaches another entrypoint through ctx.exports', async () => {
  expect(await text('/delivery')).toBe('delivered');
});

test('gives the Worker the files of its pages, and lets it answer for what is none', async () => {
  expect(await text('/page.html')).toBe('<p>a page');
  expect((await fetch(`${host.url}/no-page.html`)).status).toBe(404);
});

test('compresses playlists for clients that accept it, and no media', async () => {
  const playlist = await fetch(`${host.url}/playlist`, { headers: { 'Accept-Encoding': 'br, gzip' } });
  expect(playlist.headers.get('Content-Encoding')).toBe('gzip');
  expect(playlist.headers.get('Vary')).toBe('Accept-Encoding');
  expect(playlist.headers.get('ETag')).toBe('W/"a"');
  expect(await playlist.text()).toBe('#EXTM3U\n'.repeat(100));
  const plain = await fetch(`${host.url}/playlist`, { headers: { 'Accept-Encoding': 'gzip;q=0' } });
  expect([plain.headers.get('Content-Encoding'), plain.headers.get('ETag')]).toEqual([null, '"a"']);
  const media = await fetch(`${host.url}/large`, { headers: { 'Accept-Encoding': 'gzip' } });
  expect(media.headers.get('Content-Encoding')).toBeNull();
  expect((await media.arrayBuffer()).byteLength).toBe(1_000_000);
});

test('tells a client nothing of what the Worker threw', async () => {
  const response = await fetch(`${host.url}/throw`);
  expect([response.status, await response.text()]).toEqual([500, 'Internal Server Error\n']);
});

test('keeps objects behind the keys of its S3 API and the tokens of the Worker', async () => {
  expect((await put('wrong-key', 'x')).status).toBe(403);
  expect((await put(secrets.s3SecretAccessKey, 'media')).status).toBe(200);
  expect(await text('/object')).toBe('media');
  expect((await fetch(`${host.url}/cdn-cgi/local/r2/public/${host.bucket}/live/a`)).status).toBe(404);
  expect((await fetch(`${host.url}/cdn-cgi/local/r2/s3/${host.bucket}/live/a`)).status).toBe(404);
});

test('names a port in use with the remedy', async () => {
  const failure = await start(host.port).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(PortInUseError);
  expect(String(failure)).toContain(`port ${host.port} on 127.0.0.1 is in use`);
});

test('keeps objects and Durable Objects over a restart', async () => {
  expect((await put(secrets.s3SecretAccessKey, 'kept')).status).toBe(200);
  const before = Number(await text('/count'));
  await host.close();
  host = await start(host.port);
  expect([Number(await text('/count')), await text('/object')]).toEqual([before + 1, 'kept']);
});

async function start(port: number): Promise<EdgeHost> {
  return startEdgeHost({
    host: '127.0.0.1',
    port,
    dataDir: path.join(folder, 'data'),
    secrets,
    cf: { country: 'DE' },
    trustedHeaders: { address: 'X-Real-IP', hops: 1 },
    log,
    configFile: path.join(folder, 'wrangler.toml'),
  });
}

async function text(pathname: string): Promise<string> {
  return (await fetch(host.url + pathname)).text();
}

async function put(secretAccessKey: string, body: string): Promise<Response> {
  const { s3AccessKeyId: accessKeyId } = secrets;
  const client = new AwsClient({ accessKeyId, secretAccessKey, service: 's3', region: 'auto', retries: 0 });
  return client.fetch(`${host.s3Endpoint}/${host.bucket}/live/a`, { method: 'PUT', body });
}
