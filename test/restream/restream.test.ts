import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseStreamName } from '#shared/identifiers.ts';
import type { FeedEvent, MediaFeed } from '../../origin/ingest/media-feed.ts';
import type { RestreamStatus } from '../../origin/restream/restream-status.ts';
import { Restreams } from '../../origin/restream/restreams.ts';
import type { RestreamTargetSettings } from '../../origin/restream/settings.ts';
import { parseTargetAddress } from '../../origin/restream/target-address.ts';
import {
  freeTcpPort,
  freeUdpPort,
  HOST,
  KEY,
  PATIENCE,
  SrtScene,
  type LogLine,
} from '../support/srt-scene.ts';

const STREAM_KEY = 'sTr3am-k3y';
const PASSPHRASE = 'correct horse battery staple';
const run = promisify(execFile);

let scene: SrtScene;
let restreams: Restreams | undefined;
const lines: LogLine[] = [];

beforeAll(async () => {
  scene = await SrtScene.open();
});

afterAll(async () => {
  await scene.remove();
});

afterEach(async () => {
  await restreams?.close();
  await scene.reset();
  lines.length = 0;
});

describe('a live stream', () => {
  test('is pushed on to an RTMP and an encrypted SRT target at once, and decodes there', async () => {
    const [rtmpPort, srtPort] = [await freeTcpPort(), await freeUdpPort()];
    scene.receive('rtmp.flv', [
      '-listen',
      '1',
      '-f',
      'flv',
      '-i',
      `rtmp://${HOST}:${rtmpPort}/live2/${STREAM_KEY}`,
    ]);
    const listener = `srt://${HOST}:${srtPort}?mode=listener&passphrase=${PASSPHRASE}`;
    scene.receive('srt.m2ts', ['-f', 'mpegts', '-i', listener]);
    await push([
      `rtmp://${HOST}:${rtmpPort}/live2/${STREAM_KEY}`,
      `srt://${HOST}:${srtPort}?passphrase=${PASSPHRASE}&pbkeylen=32&streamid=publish:x:${STREAM_KEY}`,
    ]);
    scene.encode(`publish:cam:${KEY}`, ['-stream_loop', '1']);
    await vi.waitFor(() => expect(states()).toEqual(['live', 'live']), PATIENCE);
    await expectNoSecrets();
    await vi.waitFor(() => expect(states()).toEqual(['idle', 'idle']), PATIENCE);
    await Promise.all(scene.receivers.map((receiver) => once(receiver, 'exit')));
    for (const file of ['rtmp.flv', 'srt.m2ts']) {
      expect((await scene.countFrames(scene.file(file))).frames).toBeGreaterThan(70);
    }
    expect(status().map(({ failures }) => failures)).toEqual([0, 0]);
    expect(await readdir(scene.file('.'))).not.toContainEqual(expect.stringContaining('restream-'));
  });

  test('goes on while one target refuses it, which is named once without its key and tried again', async () => {
    const srtPort = await freeUdpPort();
    scene.receive('srt.m2ts', ['-f', 'mpegts', '-i', `srt://${HOST}:${srtPort}?mode=listener`]);
    await push([`rtmp://${HOST}:${await freeTcpPort()}/live2/${STREAM_KEY}`, `srt://${HOST}:${srtPort}`]);
    scene.encode(`publish:cam:${KEY}`, ['-stream_loop', '-1']);
    await vi.waitFor(() => expect(status()[0]?.failures).toBeGreaterThan(1), PATIENCE);
    await vi.waitFor(() => expect(states()[1]).toBe('live'), PATIENCE);
    expect(status()[0]?.lastFailure).toContain('Connection refused');
    expect(lines).toMatchObject([{ target: 'target-1', msg: 'restream failed and is tried again' }]);
    await expectNoSecrets();
  });

  test('reaches targets that new settings name, leaves the same ones alone and ends the others', async () => {
    const [first, second, third] = [await freeUdpPort(), await freeUdpPort(), await freeUdpPort()];
    for (const port of [first, second, third]) {
      scene.receive(`${port}.m2ts`, ['-f', 'mpegts', '-i', `srt://${HOST}:${port}?mode=listener`]);
    }
    await push([`srt://${HOST}:${first}`, `srt://${HOST}:${second}`]);
    scene.encode(`publish:cam:${KEY}`, ['-stream_loop', '-1']);
    await vi.waitFor(() => expect(states()).toEqual(['live', 'live']), PATIENCE);
    const before = status()[0]?.sentBytes ?? 0;
    restreams?.update(new Map([[cam(), targetsOf([`srt://${HOST}:${first}`, `srt://${HOST}:${third}`])]]));
    expect(status()[0]?.sentBytes).toBeGreaterThanOrEqual(before);
    expect(states()).toEqual(['live', 'waiting']);
    await vi.waitFor(() => expect(states()).toEqual(['live', 'live']), PATIENCE);
    expect(lines).toEqual([]);
  });

  test('finds a target that comes later, from a key frame on', async () => {
    const port = await freeTcpPort();
    await push([`rtmp://${HOST}:${port}/live2/${STREAM_KEY}`]);
    scene.encode(`publish:cam:${KEY}`, ['-stream_loop', '-1']);
    await vi.waitFor(() => expect(status()[0]?.failures).toBe(1), PATIENCE);
    scene.receive('late.flv', [
      '-listen',
      '1',
      '-f',
      'flv',
      '-i',
      `rtmp://${HOST}:${port}/live2/${STREAM_KEY}`,
    ]);
    await vi.waitFor(() => expect(states()).toEqual(['live']), PATIENCE);
    await vi.waitFor(() => expect(status()[0]?.sentBytes).toBeGreaterThan(100_000), PATIENCE);
    await restreams?.close();
    await Promise.all(scene.receivers.map((receiver) => once(receiver, 'exit')));
    const probe = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=flags', '-of', 'csv=p=0'];
    const { stdout, stderr } = await run('ffprobe', [
      ...probe,
      '-read_intervals',
      '%+#1',
      scene.file('late.flv'),
    ]);
    expect([stdout.trim().slice(0, 1), stderr]).toEqual(['K', '']);
  });
});

test.each([
  ['has no ffmpeg', { ffmpegPath: '/nowhere/ffmpeg' }, /^ffmpeg cannot be run: .*ENOENT/],
  ['cannot write its folder', { folder: '/nowhere' }, /^ffmpeg cannot be started: ENOENT/],
])('an origin that %s says so once, and the feed goes on', async (_what, options, detail) => {
  await push([`srt://${HOST}:9`], options);
  const tap = restreams?.tap(cam());
  const bytes = Buffer.alloc(188);
  tap?.({ kind: 'source', source: { video: undefined, audio: undefined }, preamble: bytes }, 'mpegts');
  for (let sent = 0; sent < 100; sent += 1) {
    tap?.({ kind: 'media', bytes, randomAccess: true }, 'mpegts');
  }
  await vi.waitFor(() => expect(status()).toMatchObject([{ state: 'waiting', failures: 1 }]), PATIENCE);
  expect(status()[0]?.lastFailure).toMatch(detail);
  expect(lines).toHaveLength(1);
});

test('a target that takes nothing costs no more than its queue, and the stream does not wait for it', async () => {
  const server = await silentServer();
  const { port } = server.address() as AddressInfo;
  await push([`rtmp://${HOST}:${port}/live2/${STREAM_KEY}`]);
  const tap = restreams?.tap(cam());
  const bytes = await readFile(scene.source);
  const before = performance.now();
  tap?.(
    { kind: 'source', source: { video: undefined, audio: undefined }, preamble: bytes.subarray(0, 376) },
    'mpegts',
  );
  for (let sent = 0; sent < 8 * 1024 * 1024; sent += bytes.length) {
    tap?.({ kind: 'media', bytes, randomAccess: true }, 'mpegts');
    expect(status()[0]?.queuedBytes).toBeLessThanOrEqual(4 * 1024 * 1024);
  }
  expect(performance.now() - before).toBeLessThan(2_000);
  await vi.waitFor(() => expect(status()[0]?.failures).toBe(1), PATIENCE);
  expect(status()[0]?.lastFailure).toBe('the target is too slow: 4 MiB waited for it');
  server.close();
});

/** Targets for the stream `cam`, whose feed they then see. */
async function push(
  urls: readonly string[],
  options: { readonly ffmpegPath?: string; readonly folder?: string } = {},
): Promise<void> {
  const made = new Restreams({
    streams: new Map([[cam(), targetsOf(urls)]]),
    ffmpegPath: 'ffmpeg',
    folder: scene.file('.'),
    log: pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) }),
    ...options,
  });
  restreams = made;
  await scene.start();
  scene.consume = (feed) => void showTo(feed, made.tap(feed.stream));
}

function targetsOf(urls: readonly string[]): readonly RestreamTargetSettings[] {
  return urls.map((url, index) => {
    const address = parseTargetAddress(url);
    if (!address.ok) {
      throw new Error(address.failure.detail);
    }
    return { name: `target-${index + 1}`, address: address.value };
  });
}

async function showTo(
  feed: MediaFeed,
  tap: ((event: FeedEvent, container: MediaFeed['container']) => void) | undefined,
): Promise<void> {
  for await (const event of feed.events) {
    tap?.(event, feed.container);
  }
}

function cam() {
  const name = parseStreamName('cam');
  if (!name.ok) {
    throw new Error('not a stream name');
  }
  return name.value;
}

function status(): readonly RestreamStatus[] {
  return restreams?.status(cam()) ?? [];
}

function states(): readonly string[] {
  return status().map(({ state }) => state);
}

/** Neither log nor status nor the command line of any ffmpeg that we started holds a key. */
async function expectNoSecrets(): Promise<void> {
  const { stdout } = await run('ps', ['-o', 'args=', '--ppid', String(process.pid)]);
  const pushing = stdout.split('\n').filter((line) => line.includes('/dev/fd/3'));
  const shown = JSON.stringify([lines, status(), pushing]);
  expect(shown).not.toContain(STREAM_KEY);
  expect(shown).not.toContain(PASSPHRASE);
}

async function silentServer(): Promise<Server> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.pause().on('error', () => {})));
  server.listen(0, HOST);
  await once(server, 'listening');
  return server;
}
