import { afterEach, describe, expect, it } from 'vitest';
import { parseStreamName } from '#shared/identifiers.ts';
import { createLog } from '../log.ts';
import { startControlServer, type ControlServer } from './control-server.ts';
import type { StreamProvider, StreamStatus } from './stream-status.ts';

const TOKEN = 'control-token-of-the-test';
const cam = parseStreamName('cam');
if (!cam.ok) {
  throw new Error('name');
}
const STATUS: StreamStatus = {
  stream: cam.value,
  protocol: 'rtmp',
  remoteAddress: '127.0.0.1',
  since: 1_000,
  source: { video: { codec: 'h264', width: 640, height: 360, frameRate: 30 }, audio: undefined },
  renditions: [],
  nextMsn: 7,
  lastPartAt: 10_500,
  hub: {
    waitingUpdates: 2,
    waitingBytes: 100,
    acknowledgedUpdates: 5,
    failedRequests: 1,
    connected: true,
  },
};

const servers: ControlServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    await server.close();
  }
});

async function start(
  options: { readonly ready?: boolean; readonly openMetrics?: boolean; port?: number } = {},
) {
  const stopped: string[] = [];
  const streams: StreamProvider = {
    listStreams: () => [STATUS],
    stopStream: (stream) => stream === 'cam' && stopped.push(stream) > 0,
    objectWriter: () => ({
      pendingObjects: 1,
      pendingBytes: 2,
      spooledObjects: 3,
      spooledBytes: 4,
      uploadedObjects: 5,
      uploadedBytes: 6,
      failedRequests: 7,
      droppedObjects: 8,
      droppedBytes: 9,
      spoolFileBytes: 0,
      unspooledObjects: 0,
      slowestSpoolMs: 0,
      diskFault: undefined,
      away: false,
    }),
    readiness: () => ({ ready: options.ready ?? true, checks: { rtmp: 'ok' } }),
  };
  const server = await startControlServer({
    host: '127.0.0.1',
    port: options.port ?? 0,
    token: TOKEN,
    openMetrics: options.openMetrics ?? false,
    streams,
    log: createLog({ level: 'silent', pretty: false, name: 'test' }),
    now: () => 11_000,
  });
  servers.push(server);
  const call = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, init);
  const authorized = (path: string, init: RequestInit = {}) =>
    call(path, { ...init, headers: { authorization: `Bearer ${TOKEN}` } });
  return { server, stopped, call, authorized };
}

describe('the control API', () => {
  it('answers health without a token: live always, readiness when asked for', async () => {
    const { call } = await start({ ready: false });
    const health = await call('/healthz');
    expect([health.status, await health.json()]).toEqual([
      200,
      { live: true, ready: false, checks: { rtmp: 'ok' } },
    ]);
    expect((await call('/healthz?ready')).status).toBe(503);
  });

  it.each(['/metrics', '/v1/streams', '/v1/streams/cam'])('wants the bearer token for %s', async (path) => {
    const { call, authorized } = await start();
    const wrong = ['', 'Bearer', `Bearer ${TOKEN}x`, `Basic ${TOKEN}`, `Bearer ${'x'.repeat(2000)}`];
    for (const authorization of wrong) {
      const answer = await call(path, { headers: { authorization } });
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
        401,
        'Bearer realm="rill control"',
      ]);
    }
    expect((await authorized(path)).status).toBe(200);
  });

  it('lists the live streams and what waits for storage', async () => {
    const { authorized } = await start();
    expect(await (await authorized('/v1/streams')).json()).toMatchObject({
      streams: [{ stream: 'cam', protocol: 'rtmp', uptimeSeconds: 10, nextMsn: 7, lastPartAgeSeconds: 0.5 }],
      objects: { spooledObjects: 3 },
    });
    expect(await (await authorized('/v1/streams/cam')).json()).toMatchObject({ stream: 'cam' });
    expect((await authorized('/v1/streams/other')).status).toBe(404);
  });

  it('stops a live stream, and answers 404 for any other', async () => {
    const { authorized, stopped } = await start();
    expect((await authorized('/v1/streams/cam', { method: 'DELETE' })).status).toBe(204);
    expect((await authorized('/v1/streams/other', { method: 'DELETE' })).status).toBe(404);
    expect((await authorized('/v1/streams/..%2Fx', { method: 'DELETE' })).status).toBe(404);
    expect(stopped).toEqual(['cam']);
  });

  it('shows metrics as Prometheus text, without a token where that is set', async () => {
    const { call } = await start({ openMetrics: true });
    const answer = await call('/metrics');
    const text = await answer.text();
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(text).toContain('rill_streams_live 1\n');
    expect(text).toContain('rill_stream_last_part_age_seconds{stream="cam"} 0.5\n');
    expect(text).toContain('rill_hub_waiting_updates{stream="cam"} 2\n');
    expect(text).toContain('rill_objects_spooled 3\n');
    expect(text).toContain('process_resident_memory_bytes');
  });

  it('names a port that is in use, and the remedy', async () => {
    const { server } = await start();
    await expect(start({ port: server.port })).rejects.toMatchObject({
      code: 'port-in-use',
      message: `control API: 127.0.0.1:${server.port} is in use by another process: stop it or choose another port (RILL_CONTROL_PORT)`,
    });
  });
});
