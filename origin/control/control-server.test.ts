import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseStreamName } from '#shared/identifiers.ts';
import { seconds } from '#shared/media-time.ts';
import { LiveSettings } from '../live-settings.ts';
import { createLog } from '../log.ts';
import { LogLevels } from '../log-levels.ts';
import { loadSettings } from '../settings.ts';
import { StreamTelemetry } from '../stream/stream-telemetry.ts';
import { ladderSchema } from '../transcode/ladder.ts';
import { startControlServer, type ControlServer } from './control-server.ts';
import { DeclaredStreams } from './declared-streams.ts';
import { EventLog } from './event-log.ts';
import { Latencies } from './latencies.ts';
import { addMetrics } from './metrics.ts';
import type { StreamProvider, StreamStatus } from './stream-status.ts';
import { StreamWatch } from './watch/stream-watch.ts';

const TOKEN = 'control-token-of-the-test';
const SECRET = 'a-secret-that-is-long-enough';
const NOW = 11_000;
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
    ...{ waitingUpdates: 2, waitingBytes: 100, acknowledgedUpdates: 5, failedRequests: 1 },
    connected: true,
  },
};
const OBJECTS = {
  ...{ pendingObjects: 1, pendingBytes: 2, spooledObjects: 3, spooledBytes: 4, uploadedObjects: 5 },
  ...{
    uploadedBytes: 6,
    failedRequests: 7,
    droppedObjects: 8,
    droppedBytes: 9,
    spoolFileBytes: 0,
    unspooledObjects: 0,
    slowestSpoolMs: 0,
    diskFault: undefined,
    away: false,
  },
};

const servers: ControlServer[] = [];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rill-control-'));
});

afterEach(async () => {
  for (const server of servers.splice(0)) {
    await server.close();
  }
  await rm(folder, { recursive: true });
});

interface Setting {
  readonly ready?: boolean;
  readonly openMetrics?: boolean;
  readonly port?: number;
  /** The configuration file; read again at each reload. */
  file?: string;
}

function settingsOf(setting: Setting) {
  const env = {
    ...{ RILL_EDGE_URL: 'http://127.0.0.1:1', RILL_SERVICE_TOKEN: SECRET, RILL_CONTROL_TOKEN: SECRET },
    ...{ RILL_PUBLISH_SECRET: SECRET, RILL_S3_ENDPOINT: 'http://127.0.0.1:1', RILL_S3_BUCKET: 'media' },
    ...{
      RILL_S3_ACCESS_KEY_ID: 'id',
      RILL_S3_SECRET_ACCESS_KEY: SECRET,
      RILL_DATA_DIR: folder,
      RILL_CONFIG: 'file',
    },
  };
  const sources = { env, ladderSchema, readFile: () => setting.file ?? '{}' };
  const started = loadSettings(sources);
  if (!started.ok) {
    throw new Error(started.failure.lines.join());
  }
  return new LiveSettings({ sources, started: started.value, check: async () => [] });
}

async function start(setting: Setting = {}) {
  const stopped: string[] = [];
  const streams: StreamProvider = {
    listStreams: () => [STATUS],
    stopStream: (stream) => stream === 'cam' && stopped.push(stream) > 0,
    objectWriter: () => OBJECTS,
    retention: () => ({ streams: 1, sweeps: 2, deletedObjects: 3, failedSweeps: 0 }),
    readiness: () => ({ ready: setting.ready ?? true, checks: { rtmp: 'ok' } }),
  };
  const now = () => NOW;
  const events = new EventLog(now);
  const limits = { speed: 0.95, partLateness: 1, srtLoss: 0.05, after: 0, clearAfter: 0 };
  const watch = new StreamWatch({
    ...{ streams: () => [STATUS], srt: () => [], storageAway: () => false, limits: () => limits },
    ...{ events, now },
  });
  const telemetry = new StreamTelemetry(now);
  watch.add(STATUS.stream, telemetry);
  const metrics = new Registry();
  const latencies = new Latencies(metrics, now);
  const levels = new LogLevels('silent');
  const log = createLog({
    ...{ level: 'silent', pretty: false, name: 'test' },
    onChild: (one) => levels.add(one),
  });
  log.child({ part: 'rtmp' });
  const declared = await DeclaredStreams.open(join(folder, 'streams.json'), now);
  const webhooks = { stats: [{ receiver: 'cms', waiting: 1, delivered: 2, failedTries: 3, dropped: 4 }] };
  addMetrics(metrics, { ...{ streams, watch, webhooks, now }, maxStreams: () => 100 });
  const settings = settingsOf(setting);
  const server = await startControlServer({
    ...{ host: '127.0.0.1', port: setting.port ?? 0, token: TOKEN, metrics, log },
    openMetrics: setting.openMetrics ?? false,
    parts: {
      ...{ streams, declared, watch, events, levels, latencies, webhooks, settings, now },
      checkLadder: async (ladder) =>
        ladder.video.flatMap((rung) => (rung.name === 'none' ? ['no encoder'] : [])),
    },
  });
  servers.push(server);
  const call = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, init);
  const authorized = (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${TOKEN}`);
    return call(path, { ...init, headers });
  };
  const send = (method: string, path: string, body: unknown) =>
    authorized(path, { method, body: JSON.stringify(body) });
  return { server, stopped, call, authorized, send, declared, events, levels, telemetry, settings };
}

describe('the control API', () => {
  it('answers health and readiness without a token: live always, ready only when it is', async () => {
    const { call } = await start({ ready: false });
    const health = await call('/healthz');
    expect([health.status, await health.json()]).toEqual([
      200,
      { live: true, ready: false, checks: { rtmp: 'ok' } },
    ]);
    expect((await call('/healthz?ready')).status).toBe(503);
    const ready = await call('/readyz');
    expect([ready.status, await ready.json()]).toEqual([503, { ready: false, checks: { rtmp: 'ok' } }]);
  });

  it.each(['/metrics', '/v1/streams', '/v1/streams/cam', '/v1/events', '/v1/log-level'])(
    'wants the bearer token for %s',
    async (path) => {
      const { call } = await start();
      const wrong = ['', 'Bearer', `Bearer ${TOKEN}x`, `Basic ${TOKEN}`, `Bearer ${'x'.repeat(2000)}`];
      for (const authorization of wrong) {
        const answer = await call(path, { headers: { authorization } });
        expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
          401,
          'Bearer realm="rill control"',
        ]);
      }
    },
  );

  it('lists the live streams with what is measured of them, and what waits for storage', async () => {
    const { authorized, telemetry } = await start();
    telemetry.partAnnounced({ programDateTime: 10_000, duration: seconds(0.5) });
    expect(await (await authorized('/v1/streams')).json()).toMatchObject({
      streams: [
        {
          ...{ stream: 'cam', state: 'live', protocol: 'rtmp', uptimeSeconds: 10, nextMsn: 7 },
          ...{ lastPartAgeSeconds: 0.5, encoderSpeed: null, input: null, srt: null, degraded: [] },
          partTiming: { parts: 1, p50Ms: 500, p95Ms: 500, maxMs: 500 },
        },
      ],
      ...{ idle: [], objects: { spooledObjects: 3 }, latencies: { put: null, hub: null } },
    });
    expect(await (await authorized('/v1/streams/cam')).json()).toMatchObject({ stream: 'cam' });
    expect((await authorized('/v1/streams/other')).status).toBe(404);
    expect((await authorized('/v1/streams/..%2Fx')).status).toBe(400);
  });

  it('declares a stream ahead of its publisher and keeps it; the schema, the encoders and the file are asked', async () => {
    const { send, authorized } = await start({ file: '{"streams":{"filed":{}}}' });
    const ladder = { video: [{ name: 'source', codec: 'copy' }], audio: null };
    const declared = await send('PUT', '/v1/streams/next', { partTarget: 0.25, ladder });
    expect(await declared.json()).toMatchObject({
      state: 'idle',
      declared: true,
      settings: { partTarget: 0.25 },
    });
    const again = await DeclaredStreams.open(join(folder, 'streams.json'), () => NOW);
    expect(again.get(STATUS.stream).settings).toBeUndefined();
    expect([...again.list().values()]).toMatchObject([{ settings: { partTarget: 0.25, ladder } }]);
    expect((await send('PUT', '/v1/streams/next', { partTarget: 9 })).status).toBe(400);
    expect((await send('PUT', '/v1/streams/next', { publishKeys: [] })).status).toBe(400);
    expect((await send('PUT', '/v1/streams/next', [])).status).toBe(400);
    expect((await send('PUT', '/v1/streams/filed', {})).status).toBe(409);
    const lacking = { ladder: { video: [{ name: 'none', codec: 'copy' }], audio: null } };
    expect(await (await send('PUT', '/v1/streams/next', lacking)).json()).toMatchObject({
      detail: 'no encoder',
    });
    const body = '{'.repeat(70_000);
    expect((await authorized('/v1/streams/next', { method: 'PUT', body })).status).toBe(413);
    expect((await authorized('/v1/streams/next', { method: 'PUT', body: '{' })).status).toBe(400);
    expect((await authorized('/v1/streams/next', { method: 'DELETE' })).status).toBe(204);
    expect(await (await authorized('/v1/streams/next')).json()).toMatchObject({
      state: 'stopped',
      declared: false,
    });
  });

  it('shows declared settings without the secrets that stand in them; where one is kept is no secret', async () => {
    const { send, authorized } = await start();
    const settings = {
      srt: { passphrase: 'correct horse battery', latency: 300 },
      restream: [{ name: 'cdn', url: 'rtmp://live.example.com/app/stream-key' }],
    };
    const shown = {
      srt: { passphrase: { hidden: true }, latency: 300 },
      restream: [{ name: 'cdn', url: { hidden: true } }],
    };
    expect(await (await send('PUT', '/v1/streams/next', settings)).json()).toMatchObject({ settings: shown });
    expect(await (await authorized('/v1/streams')).text()).not.toMatch(/battery|stream-key/);
    expect((await send('PUT', '/v1/streams/next', shown)).status).toBe(400);
    const named = { srt: { passphrase: { file: join(folder, 'passphrase') } } };
    await writeFile(join(folder, 'passphrase'), 'correct horse battery\n');
    expect(await (await send('PUT', '/v1/streams/next', named)).json()).toMatchObject({ settings: named });
  });

  it('stops a stream for a time or until it is started, and forgets that it did', async () => {
    const { send, authorized, stopped, declared } = await start();
    await send('POST', '/v1/streams/cam/stop', { seconds: 5 });
    expect([stopped, declared.stoppedUntil(STATUS.stream)]).toEqual([['cam'], NOW + 5_000]);
    await send('POST', '/v1/streams/cam/stop', { until: 'started' });
    expect(declared.stoppedUntil(STATUS.stream)).toBeNull();
    expect(await (await authorized('/v1/streams/cam/start', { method: 'POST' })).json()).toMatchObject({
      ...{ state: 'idle', stoppedUntil: null },
    });
    expect((await send('POST', '/v1/streams/cam/stop', { seconds: -1 })).status).toBe(400);
    expect((await authorized('/v1/streams/cam', { method: 'DELETE' })).status).toBe(204);
    expect((await authorized('/v1/streams/other', { method: 'DELETE' })).status).toBe(404);
    expect(stopped).toEqual(['cam', 'cam', 'cam']);
  });

  it('lists hashes of keys, tells a new key once, and leaves those of the file alone', async () => {
    const hash = `sha256:${'a'.repeat(64)}`;
    const { send, authorized } = await start({ file: `{"streams":{"filed":{"publishKeys":["${hash}"]}}}` });
    const keys = async (stream: string) => (await authorized(`/v1/streams/${stream}/keys`)).json();
    expect(await keys('filed')).toEqual({ keys: [{ hash, source: 'file', validUntil: null }] });
    expect((await send('POST', '/v1/streams/filed/keys/rotate', {})).status).toBe(409);
    expect(await keys('cam')).toMatchObject({ keys: [{ source: 'derived' }] });
    const made: unknown = await (
      await send('POST', '/v1/streams/cam/keys/rotate', { graceSeconds: 60 })
    ).json();
    expect(made).toMatchObject({ previousValidUntil: new Date(NOW + 60_000).toISOString() });
    const listed = await keys('cam');
    expect(listed).toMatchObject({
      keys: [{ validUntil: new Date(NOW + 60_000).toISOString() }, { validUntil: null }],
    });
    await send('POST', '/v1/streams/cam/keys/rotate', { graceSeconds: 0 });
    expect(await keys('cam')).toMatchObject({ keys: [{ source: 'api' }] });
  });

  it('reads the configuration again: all mistakes at once leave the old one in force', async () => {
    const setting: Setting = { file: '{"partTarget":0.5}' };
    const { send, settings } = await start(setting);
    setting.file = '{"partTarget":9,"colour":1}';
    const refused = await send('POST', '/v1/config/reload', undefined);
    const { detail } = (await refused.json()) as { detail: string };
    expect([refused.status, detail.split('\n').length]).toEqual([422, 2]);
    expect(settings.current.defaults.partTarget).toBe(0.5);
    setting.file = '{"partTarget":0.25,"streams":{"a":{"dvr":"1h"}}}';
    expect(await (await send('POST', '/v1/config/reload', undefined)).json()).toEqual({
      applied: ['partTarget', 'streams.a'],
      needRestart: [],
    });
    expect(settings.current.defaults.partTarget).toBe(0.25);
  });

  it('sets log levels of everything and of one part that there is', async () => {
    const { send, levels } = await start();
    expect(await (await send('PUT', '/v1/log-level', { level: 'warn' })).json()).toMatchObject({
      level: 'warn',
    });
    await send('PUT', '/v1/log-level', { level: 'debug', part: 'rtmp' });
    expect(levels.state).toEqual({ level: 'warn', parts: { rtmp: 'debug' } });
    await send('PUT', '/v1/log-level', { level: null, part: 'rtmp' });
    expect(levels.state).toEqual({ level: 'warn', parts: {} });
    for (const wrong of [{ level: 'loud' }, { level: null }, { level: 'info', part: 'none' }, {}]) {
      expect((await send('PUT', '/v1/log-level', wrong)).status).toBe(400);
    }
  });

  it('tells events as they happen, those since Last-Event-ID, and that some are missing', async () => {
    const { authorized, events } = await start();
    const listen = async (path: string, headers: Record<string, string> = {}) => {
      const answer = await authorized(path, { headers });
      const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
      let read = '';
      return async (text: string) => {
        while (!read.includes(text)) {
          read += (await reader?.read())?.value ?? '';
        }
        return read;
      };
    };
    const follow = await listen('/v1/events?stream=cam');
    events.publish('stream.started', 'other', {});
    events.publish('stream.started', 'cam', { protocol: 'srt' });
    const told = await follow('event: stream.started');
    expect(told).toContain(
      'data: {"type":"stream.started","timestamp":"1970-01-01T00:00:11.000Z","data":{"stream":"cam","protocol":"srt"}}',
    );
    expect(told).not.toContain('other');
    const id = /^id: (.*)$/m.exec(told)?.[1] ?? '';
    events.publish('stream.stopped', 'cam', {});
    const later = await (await listen('/v1/events', { 'last-event-id': id }))('stream.stopped');
    expect(later).not.toContain('stream.started');
    expect(await (await listen('/v1/events', { 'last-event-id': 'older.1' }))('missed')).toContain(
      'event: missed',
    );
  });

  it('describes every route in OpenAPI, and shows metrics without a token where that is set', async () => {
    const { call } = await start({ openMetrics: true });
    const { paths } = (await (await call('/v1/openapi.json')).json()) as { paths: object };
    expect(Object.keys(paths)).toContain('/v1/streams/{stream}/keys/rotate');
    const answer = await call('/metrics');
    const text = await answer.text();
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(text).toContain('rill_streams_live 1\n');
    expect(text).toContain('rill_stream_last_part_age_seconds{stream="cam"} 0.5\n');
    expect(text).toContain('rill_hub_waiting_updates{stream="cam"} 2\n');
    expect(text).toContain('# TYPE rill_objects_uploaded_total counter\nrill_objects_uploaded_total 5\n');
    expect(text).toContain('rill_webhook_delivered_total{webhook="cms"} 2\n');
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
