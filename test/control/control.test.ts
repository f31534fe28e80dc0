/** Control of a whole instance with a real encoder: what it measures, tells, stops, rotates and reloads. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { COPY_LADDER } from '../support/ladders.ts';
import { fetchVariants, until } from '../support/live-client.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { freeTcpPort, freeUdpPort } from '../support/srt-scene.ts';
import { receiveWebhooks, type WebhookReceiver } from '../support/webhook-receiver.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const FPS = 25;
const GOP_SECONDS = 1;
const VIDEO_BITS = 1_500_000;
const AUDIO_BITS = 128_000;

const encoders: ChildProcess[] = [];
let receiver: WebhookReceiver;
let rill: RillInstance;
let token: string;
let config: object;

beforeAll(async () => {
  receiver = await receiveWebhooks(SECRET, [500, 302]);
  process.env['RILL_WEBHOOK_SECRET'] = SECRET;
  // A machine that is short of CPU is not what is tested here.
  const degraded = { speed: 0.1, partLateness: 60 };
  config = { ladder: COPY_LADDER, degraded, webhooks: [{ name: 'cms', url: receiver.url }] };
  rill = await startRill(config);
  const secrets: unknown = JSON.parse(await readFile(join(rill.dataDir, 'secrets.json'), 'utf8'));
  token = z.object({ controlToken: z.string() }).parse(secrets).controlToken;
});

afterAll(async () => {
  for (const encoder of encoders.splice(0)) {
    encoder.kill('SIGKILL');
  }
  await rill?.stop();
  await receiver?.close();
});

test('statistics agree with what the encoder sends; webhooks are repeated, signed and in order; a stop holds', async () => {
  const url = await rill.rill('publish-url', 'show', '--rtmp');
  publish(url);
  const live = await until('ten seconds of measurements', async () => {
    const stream = streamSchema.safeParse(await ask('GET', '/v1/streams/show'));
    return stream.data;
  });
  expect(Math.abs(live.input.bitrate / (VIDEO_BITS + AUDIO_BITS) - 1)).toBeLessThan(0.1);
  expect(live.input.frameRate).toBeCloseTo(FPS, 1);
  expect(live.input.gopSeconds).toBeCloseTo(GOP_SECONDS, 2);
  expect(live.source.video).toMatchObject({ codec: 'h264', width: 320, height: 180 });
  expect(Math.abs(live.encoderSpeed - 1)).toBeLessThan(0.25);
  expect(live.partTiming.p50Ms).toBeLessThanOrEqual(live.partTiming.maxMs);
  expect(live.degraded).toEqual([]);
  const metrics = await askText('/metrics');
  expect(metrics).toMatch(/rill_stream_input_frames_per_second\{stream="show"\} 25/);
  expect(metrics).toMatch(/rill_part_lateness_seconds_count\{stream="show"\} [1-9]/);
  expect(metrics).toMatch(/rill_object_put_duration_seconds_count\{outcome="ok"\} [1-9]/);

  await rill.rill('streams', 'stop', 'show', '--for', '10m');
  await until('the end of the stream', async () => ((await isLive('show')) ? undefined : true));
  await expectRefused(url);
  await until('all three messages', async () => (receiver.taken.length >= 3 ? true : undefined));
  expect(receiver.taken.map(({ type }) => type)).toEqual([
    'stream.started',
    'stream.stopped',
    'recording.ready',
  ]);
  expect(receiver.taken[1]?.data).toMatchObject({ stream: 'show', reason: 'closed' });
  expect(receiver.taken[2]?.data).toMatchObject({ stream: 'show', prefix: 'live/show/', lostObjects: 0 });
  expect(new Set(receiver.asked.slice(0, 3)).size).toBe(1);
  expect(receiver.forged).toBe(0);

  await rill.rill('streams', 'start', 'show');
  publish(url);
  await until('the stream again', async () => ((await isLive('show')) ? true : undefined));
});

test.concurrent('a rotated key opens beside the old one until its grace time is over', async () => {
  const old = await rill.rill('publish-url', 'keyed', '--rtmp');
  const rotate = async (graceSeconds: number) =>
    z.object({ key: z.string() }).parse(await ask('POST', '/v1/streams/keyed/keys/rotate', { graceSeconds }))
      .key;
  const key = await rotate(600);
  const encoder = publish(old);
  await until('the old key is taken', async () => ((await isLive('keyed')) ? true : undefined));
  encoder.kill('SIGINT');
  await until('the end', async () => ((await isLive('keyed')) ? undefined : true));
  const newest = await rotate(0);
  await expectRefused(old);
  await expectRefused(old.replace(/key=.*/, `key=${key}`));
  publish(old.replace(/key=.*/, `key=${newest}`));
  await until('the newest key is taken', async () => ((await isLive('keyed')) ? true : undefined));
  expect(await rill.rill('streams', 'keys', 'keyed')).not.toContain(newest);
  expect(rill.output()).not.toContain(newest);
});

test.concurrent(
  'a reload while live drops nothing and holds for the next stream; a file with mistakes changes nothing',
  async () => {
    publish(await rill.rill('publish-url', 'going', '--rtmp'));
    const playUrl = await rill.rill('play-url', 'going');
    const first = await until('the stream', async () => fetchVariants(playUrl).catch(() => undefined));
    const file = join(rill.dataDir, 'config.json');
    await writeFile(file, JSON.stringify({ ...config, partTarget: 7, dvr: 'long', colour: 'blue' }));
    const refused = z
      .object({ error: z.string(), detail: z.string() })
      .parse(await ask('POST', '/v1/config/reload', undefined, 422));
    expect(refused.detail.split('\n')).toHaveLength(3);
    await writeFile(file, JSON.stringify({ ...config, partTarget: 0.25 }));
    expect(await ask('POST', '/v1/config/reload')).toEqual({ applied: ['partTarget'], needRestart: [] });
    publish(await rill.rill('publish-url', 'after', '--rtmp'));
    const next = await until('the next stream', async () => {
      const url = await rill.rill('play-url', 'after');
      return fetchVariants(url).catch(() => undefined);
    });
    const partTargetOf = async (url: string | undefined) =>
      /PART-TARGET=([0-9.]+)/.exec(await fetchText(url))?.[1];
    expect(await partTargetOf(next.variants[0])).toBe('0.25');
    expect(await partTargetOf(first.variants[0])).toMatch(/^0\.(?:48|5)/);
    expect(await fetchText(first.variants[0])).not.toMatch(/#EXT-X-(?:DISCONTINUITY\n|ENDLIST)/);
  },
);

test.concurrent(
  'a stream that is declared with an encoder to call is pulled at once, and let go when it is deleted',
  async () => {
    const passphrase = 'correct horse battery';
    const port = await freeUdpPort();
    publish(`srt://127.0.0.1:${port}?mode=listener&passphrase=${passphrase}`, 'mpegts');
    const pull = `srt://127.0.0.1:${port}`;
    const restream = [{ name: 'away', url: `rtmp://127.0.0.1:${await freeTcpPort()}/live/stream-key` }];
    const declared = await ask('PUT', '/v1/streams/pulled', { srt: { pull, passphrase }, restream });
    expect(JSON.stringify(declared)).not.toMatch(/battery|stream-key/);
    await until('the pulled stream', async () => ((await isLive('pulled')) ? true : undefined));
    expect(await ask('GET', '/v1/streams/pulled')).toMatchObject({
      ...{ protocol: 'srt', srt: { mode: 'caller', encryption: 'aes-128' }, restream: [{ name: 'away' }] },
    });
    await askText('/v1/streams/pulled', 'DELETE');
    await until('the end of the pull', async () => ((await isLive('pulled')) ? undefined : true));
    expect(await ask('GET', '/v1/streams')).toMatchObject({ pulls: [] });
    expect(rill.output()).not.toMatch(/battery|stream-key/);
  },
);

const streamSchema = z.object({
  input: z.object({ bitrate: z.number(), frameRate: z.number(), gopSeconds: z.number() }),
  source: z.object({ video: z.unknown() }),
  encoderSpeed: z.number(),
  partTiming: z.object({ p50Ms: z.number(), maxMs: z.number() }),
  degraded: z.array(z.unknown()),
});

async function isLive(stream: string): Promise<boolean> {
  const { streams } = z
    .object({ streams: z.array(z.object({ stream: z.string(), nextMsn: z.number().nullable() })) })
    .parse(await ask('GET', '/v1/streams'));
  return streams.some((one) => one.stream === stream && one.nextMsn !== null);
}

async function ask(method: string, path: string, body?: object, expected = 200): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${rill.ports.control}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const json: unknown = await answer.json();
  expect([expected, 404]).toContain(answer.status);
  return json;
}

async function askText(path: string, method = 'GET'): Promise<string> {
  const url = `http://127.0.0.1:${rill.ports.control}${path}`;
  return (await fetch(url, { method, headers: { authorization: `Bearer ${token}` } })).text();
}

async function fetchText(url: string | undefined): Promise<string> {
  return (await fetch(url ?? '')).text();
}

/** An encoder with a constant bit rate, filler included. */
function publish(url: string, container = 'flv'): ChildProcess {
  const rate = String(VIDEO_BITS);
  const encoder = spawn(
    'ffmpeg',
    [
      ...['-v', 'error', '-re', '-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=${FPS}`],
      ...['-re', '-f', 'lavfi', '-i', 'sine=sample_rate=48000', '-c:v', 'libx264', '-preset', 'ultrafast'],
      ...[
        '-tune',
        'zerolatency',
        '-g',
        String(FPS * GOP_SECONDS),
        '-keyint_min',
        String(FPS),
        '-sc_threshold',
        '0',
      ],
      ...['-b:v', rate, '-minrate', rate, '-maxrate', rate, '-bufsize', rate, '-x264-params', 'nal-hrd=cbr'],
      ...['-pix_fmt', 'yuv420p', '-c:a', 'aac', '-b:a', String(AUDIO_BITS), '-f', container, url],
    ],
    { stdio: 'ignore' },
  );
  encoders.push(encoder);
  return encoder;
}

/** A publisher that is refused ends with an error within seconds. */
async function expectRefused(url: string): Promise<void> {
  const [code] = await once(publish(url), 'exit');
  expect(code).not.toBe(0);
}
