import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseStreamName } from '#shared/identifiers.ts';
import { loadSettings, settingsForStream } from './settings.ts';

const LADDER = z.strictObject({ video: z.array(z.string()) });
const SECRET = 'a-secret-that-is-long-enough';
const COMPLETE = {
  RILL_EDGE_URL: 'http://127.0.0.1:8080',
  RILL_SERVICE_TOKEN: SECRET,
  RILL_CONTROL_TOKEN: SECRET,
  RILL_PUBLISH_SECRET: SECRET,
  RILL_S3_ENDPOINT: 'http://127.0.0.1:8080/cdn-cgi/local/r2/s3',
  RILL_S3_BUCKET: 'rill-media',
  RILL_S3_ACCESS_KEY_ID: 'access',
  RILL_S3_SECRET_ACCESS_KEY: SECRET,
  RILL_DATA_DIR: '/var/lib/rill',
};

function load(env: Record<string, string>, file?: string) {
  return loadSettings({
    env: file === undefined ? env : { ...env, RILL_CONFIG: 'config.json' },
    ladderSchema: LADDER,
    readFile: () => file ?? '',
  });
}

function lines(env: Record<string, string>, file?: string): readonly string[] {
  const settings = load(env, file);
  return settings.ok ? [] : settings.failure.lines;
}

describe('settings', () => {
  it('have documented defaults where a variable is absent or empty', () => {
    expect(load({ ...COMPLETE, RILL_HOST: '' })).toMatchObject({
      ok: true,
      value: {
        host: '127.0.0.1',
        ports: { rtmp: 1935, srt: 9000, control: 8081 },
        objectStore: { region: 'auto', bucket: 'rill-media' },
        spoolBytes: 2 * 1024 ** 3,
        logLevel: 'info',
        ffmpeg: 'ffmpeg',
        srtLatency: 120,
        openMetrics: false,
        maxStreams: 100,
        redundancy: { reconnectGrace: 15_000, lossAfter: 1_000, returnAfter: 10_000, lease: 3_000 },
        defaults: { partTarget: 0.5, segmentDuration: 2, dvr: 30, ladder: undefined },
      },
    });
  });

  it('name every variable that is missing, with an example', () => {
    const missing = lines({});
    expect(missing.map((line) => line.split(' ')[0])).toEqual(Object.keys(COMPLETE));
    expect(missing[0]).toBe('RILL_EDGE_URL is missing; example: https://live.example.com');
  });

  it('turn RTMPS on with port, certificate and key, and with nothing less', () => {
    const complete = {
      RILL_RTMPS_PORT: '1936',
      RILL_RTMPS_CERT: '/tls/chain.pem',
      RILL_RTMPS_KEY: '/tls/key.pem',
    };
    expect(load({ ...COMPLETE, ...complete })).toMatchObject({
      value: { rtmps: { port: 1936, files: { certificate: '/tls/chain.pem', key: '/tls/key.pem' } } },
    });
    expect(load(COMPLETE)).toMatchObject({ value: { rtmps: undefined } });
    expect(lines({ ...COMPLETE, RILL_RTMPS_PORT: '1936' })).toEqual([
      'RILL_RTMPS_CERT is missing: RTMPS needs port, certificate and key; example: /etc/rill/tls/fullchain.pem',
      'RILL_RTMPS_KEY is missing: RTMPS needs port, certificate and key; example: /etc/rill/tls/privkey.pem',
    ]);
  });

  it('name all mistakes of environment and file at once, and never a value', () => {
    const env = {
      ...COMPLETE,
      RILL_RTMP_PORT: '70000',
      RILL_EDGE_URL: 'ftp://hush',
      RILL_SERVICE_TOKEN: 'hush',
      RILL_S3_BUCKET: 'HUSH',
      RILL_LOG_LEVEL: 'hush',
      RILL_SRT_LATENCY_MS: '-1',
    };
    const file = '{"partTarget":0.1,"dvr":"13h","colour":"hush","streams":{"../x":{},"a":{"partTarget":2}}}';
    const all = lines(env, file);
    expect(all).toHaveLength(10);
    expect(all.join('\n').toLowerCase()).not.toContain('hush');
    expect(all).toContain('RILL_RTMP_PORT is not a port, 0 to 65535; example: 1935');
    expect(all.join('\n')).toContain('config.json: partTarget:');
    expect(all.join('\n')).toContain('config.json: streams.a.partTarget:');
    expect(all.join('\n')).toContain('colour');
  });

  it('give times of redundancy in seconds, within what makes sense', () => {
    const file = (redundancy: object) => JSON.stringify({ redundancy });
    expect(load(COMPLETE, file({ reconnectGrace: 0, lossAfter: 0.4, lease: 2.5 }))).toMatchObject({
      value: { redundancy: { reconnectGrace: 0, lossAfter: 400, returnAfter: 10_000, lease: 2_500 } },
    });
    const wrong = { reconnectGrace: -1, lossAfter: 2, returnAfter: 0, lease: 0.5, other: 1 };
    const named = lines(COMPLETE, file(wrong)).map((line) => line.split(': ')[1]);
    expect(named).toEqual([
      ...['redundancy.reconnectGrace', 'redundancy.lossAfter', 'redundancy.returnAfter'],
      ...['redundancy.lease', 'redundancy'],
    ]);
  });

  it('names a stream whose name is none', () => {
    expect(lines(COMPLETE, '{"streams":{"../x":{}}}').join()).toContain('not a stream name');
  });

  it('refuse an edge URL with a path, whose requests would go elsewhere', () => {
    expect(lines({ ...COMPLETE, RILL_EDGE_URL: 'http://127.0.0.1/edge' })).toHaveLength(1);
  });

  it('say where a file is not JSON, and which file cannot be read', () => {
    expect(lines(COMPLETE, '{"partTarget": hush}')).toEqual(['config.json: not JSON']);
    expect(lines(COMPLETE, '{\n"partTarget" 1}')).toEqual(['config.json: not JSON (line 2 column 14)']);
    const unreadable = loadSettings({ env: { ...COMPLETE, RILL_CONFIG: '/nowhere' }, ladderSchema: LADDER });
    expect(JSON.stringify(unreadable)).toContain('/nowhere, which cannot be read (ENOENT)');
  });

  it('say who may publish: hashes of streams’ own keys, keys of tokens, a webhook', () => {
    const hash = `sha256:${'a1'.repeat(32)}`;
    const tokenKeys = [{ keyId: 'k', algorithm: 'ES256', jwk: { kty: 'EC' } }];
    const webhook = { url: 'https://cms.example/publish', cacheAllow: 0.5 };
    const file = JSON.stringify({
      publish: { tokenKeys, webhook },
      streams: { cam: { publishKeys: [hash] } },
    });
    const settings = load({ ...COMPLETE, RILL_PUBLISH_WEBHOOK_SECRET: SECRET }, file);
    expect(settings.ok && settings.value.publish).toEqual({
      keys: new Map([['cam', [hash]]]),
      tokenKeys,
      webhook: {
        url: new URL('https://cms.example/publish'),
        secret: SECRET,
        timeoutMs: 3000,
        cacheAllowMs: 500,
        cacheDenyMs: 5000,
      },
    });
    expect(lines(COMPLETE, file).join()).toContain('RILL_PUBLISH_WEBHOOK_SECRET is missing');
  });

  it.each([
    '{"publish":{"webhook":{"url":"http://cms.example/"}}}',
    '{"publish":{"webhook":{"url":"http://127.0.0.1.example/"}}}',
    '{"publish":{"webhook":{"url":"https://hush@cms.example/"}}}',
    '{"publish":{"webhook":{"url":"https://cms.example/","timeout":11}}}',
    '{"streams":{"cam":{"publishKeys":["hush-this-is-a-key-and-no-hash"]}}}',
    '{"streams":{"cam":{"publishKeys":[]}}}',
    '{"publish":{"tokenKeys":[{"keyId":"k","algorithm":"none","jwk":{}}]}}',
  ])('refuse %s', (file) => {
    const all = lines({ ...COMPLETE, RILL_PUBLISH_WEBHOOK_SECRET: SECRET }, file);
    expect(all).toHaveLength(1);
    expect(all.join()).not.toContain('hush');
  });

  it('say what single streams ask of SRT, and where they are pushed on to, with secrets from elsewhere', () => {
    const env = { ...COMPLETE, CAM_PASSPHRASE: 'hush-this-is-secret' };
    const cam = {
      srt: { passphrase: { env: 'CAM_PASSPHRASE' }, pull: 'srt://encoder:9000' },
      restream: [{ url: 'rtmp://h/app/key' }],
    };
    const settings = load(env, JSON.stringify({ streams: { cam, plain: {} } }));
    expect(settings.ok && [...settings.value.srtStreams]).toMatchObject([
      ['cam', { passphrase: 'hush-this-is-secret', pull: { host: 'encoder', port: 9000 } }],
    ]);
    expect(settings.ok && [...settings.value.restreams]).toMatchObject([['cam', [{ name: 'target-1' }]]]);
    const wrong = { srt: { passphrase: 'hush' }, restream: [{ url: 'ftp://hush/a/b' }] };
    expect(lines(COMPLETE, JSON.stringify({ streams: { cam: wrong } }))).toEqual([
      'config.json: streams.cam.srt.passphrase: has 4 bytes, needs 10 to 79',
      'config.json: streams.cam.restream.0.url: is not an address like rtmp://host/application/key, rtmps:// or srt://host:port',
    ]);
  });

  it('of a stream are its own over the origin’s', () => {
    const file =
      '{"partTarget":0.2,"recording":{"keep":"1h"},"streams":{"cam":{"dvr":"4h","recording":{"keep":"7d"},"ladder":{"video":["copy"]}}}}';
    const settings = load(COMPLETE, file);
    const names = [parseStreamName('cam'), parseStreamName('other')];
    const [own, other] = names.map((name) =>
      settings.ok && name.ok ? settingsForStream(settings.value, name.value) : undefined,
    );
    expect(own).toEqual({
      partTarget: 0.2,
      segmentDuration: 2,
      dvr: 14_400,
      recording: { keepMs: 604_800_000 },
      ladder: { video: ['copy'] },
    });
    const recording = { keepMs: 3_600_000 };
    expect(other).toEqual({ partTarget: 0.2, segmentDuration: 2, dvr: 30, recording, ladder: undefined });
  });
});
