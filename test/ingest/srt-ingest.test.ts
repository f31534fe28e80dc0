import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseStreamName } from '#shared/identifiers.ts';
import { fail, ok } from '#shared/result.ts';
import type { FeedEnd, FeedEvent, IngestGate, MediaFeed } from '../../origin/ingest/media-feed.ts';
import { startSrtServer, type SrtServer } from '../../origin/ingest/srt/srt-server.ts';

const KEY = 'k3y';
const HOST = '127.0.0.1';
const run = promisify(execFile);
const PATIENCE = { timeout: 20_000, interval: 50 };

/** What the pipeline saw of one feed. */
interface Received {
  readonly feed: MediaFeed;
  readonly events: FeedEvent[];
  end: FeedEnd | undefined;
}

let folder: string;
let source: string;
let server: SrtServer;
let received: Map<string, Received>;
let live: Set<string>;
let consume: (feed: MediaFeed) => void;
const encoders = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'srt-'));
  source = join(folder, 'source.m2ts');
  const inputs = [
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=320x240:rate=25',
    '-f',
    'lavfi',
    '-i',
    'sine=sample_rate=48000',
  ];
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-c:a', 'aac'];
  await run('ffmpeg', ['-loglevel', 'error', ...inputs, '-t', '2', ...codecs, '-f', 'mpegts', source]);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  received = new Map();
  live = new Set();
  consume = (feed) => void collect(feed);
  server = await start();
});

afterEach(async () => {
  await Promise.all([...encoders].map((encoder) => stop(encoder)));
  await server.close();
});

describe('publishers', () => {
  test('with either form of stream id are received at once, and their media decodes without errors', async () => {
    const exits = await Promise.all([
      publish(`#!::r=live/first,m=publish,key=${KEY}`),
      publish(`publish:second:${KEY}`),
    ]);
    expect(exits).toEqual([0, 0]);
    for (const name of ['first', 'second']) {
      await vi.waitFor(() => expect(received.get(name)?.end).toEqual({ reason: 'unpublished' }), PATIENCE);
      expect(received.get(name)?.events[0]).toMatchObject({
        kind: 'source',
        source: {
          video: { codec: 'h264', width: 320, height: 240, frameRate: 25 },
          audio: { codec: 'aac', sampleRate: 48_000, channels: 1 },
        },
      });
      expect(await decode(name)).toEqual({ errors: '', frames: 50 });
    }
    expect(live.size).toBe(0);
  });

  test('appear in the statistics while they are live', async () => {
    const encoder = encode(`publish:cam:${KEY}`, ['-stream_loop', '-1']);
    await vi.waitFor(() => expect(server.statistics()[0]?.packetsReceived).toBeGreaterThan(0), PATIENCE);
    const [reading] = server.statistics();
    expect(reading).toMatchObject({ stream: 'cam', packetsDropped: 0, latencyMs: 120 });
    expect(reading?.bytesReceived).toBeGreaterThan(1_000);
    expect(reading?.receiveRateMbps).toBeGreaterThan(0);
    expect(reading?.rttMs).toBeGreaterThan(0);
    await stop(encoder);
  });

  test('are let go when the pipeline closes their feed', async () => {
    encode(`publish:cam:${KEY}`, ['-stream_loop', '-1']);
    await vi.waitFor(() => expect(received.get('cam')?.events.length).toBeGreaterThan(2), PATIENCE);
    received.get('cam')?.feed.close('no longer wanted');
    await vi.waitFor(() => expect(received.get('cam')?.end).toBeDefined(), PATIENCE);
    expect(received.get('cam')?.end).toEqual({ reason: 'closed', detail: 'no longer wanted' });
    expect(live.size).toBe(0);
  });

  test('that send something else than MPEG-TS are rejected', async () => {
    const garbage = join(folder, 'garbage');
    await writeFile(garbage, Buffer.alloc(200_000, 0x42));
    encode(`publish:cam:${KEY}`, [], ['-f', 'data', '-i', garbage, '-map', '0', '-c', 'copy', '-f', 'data']);
    await vi.waitFor(() => expect(received.get('cam')?.end).toMatchObject({ reason: 'rejected' }), PATIENCE);
  });

  test('of which a slow pipeline takes nothing are paused, and the others are not', async () => {
    await server.close();
    const limits = { queueBytes: 20_000 };
    server = await start({ limits });
    const feeds: MediaFeed[] = [];
    consume = (feed) => (feed.stream === 'slow' ? void feeds.push(feed) : void collect(feed));
    encode(`publish:slow:${KEY}`, ['-stream_loop', '-1']);
    expect(await publish(`publish:quick:${KEY}`)).toBe(0);
    await vi.waitFor(() => expect(received.get('quick')?.end).toEqual({ reason: 'unpublished' }), PATIENCE);
    expect(await decode('quick')).toEqual({ errors: '', frames: 50 });
    const [slow] = feeds;
    await (slow === undefined ? Promise.reject(new Error('no feed')) : readSome(slow, 50));
    expect(live.has('slow')).toBe(false);
  });

  test('that are silent for the limit are ended as stalled', async () => {
    await server.close();
    server = await start({ limits: { stallMs: 1_000 } });
    const encoder = encode(`publish:cam:${KEY}`, ['-stream_loop', '-1']);
    await vi.waitFor(() => expect(received.get('cam')?.events.length).toBeGreaterThan(0), PATIENCE);
    encoder.kill('SIGSTOP');
    await vi.waitFor(() => expect(received.get('cam')?.end).toBeDefined(), PATIENCE);
    expect(received.get('cam')?.end).toEqual({ reason: 'stalled', afterSeconds: 1 });
    encoder.kill('SIGCONT');
  });

  test('whose path breaks without a goodbye are ended as lost, and the name is free', async () => {
    const encoder = encode(`publish:cam:${KEY}`, ['-stream_loop', '-1']);
    await vi.waitFor(() => expect(received.get('cam')?.events.length).toBeGreaterThan(0), PATIENCE);
    encoder.kill('SIGKILL');
    await vi.waitFor(() => expect(received.get('cam')?.end).toBeDefined(), PATIENCE);
    expect(received.get('cam')?.end).toMatchObject({ reason: 'connection-lost' });
    expect(live.size).toBe(0);
  });
});

describe('callers rejected in the handshake', () => {
  test.each([
    ['wrong key', 'publish:cam:wrong'],
    ['no key', '#!::r=live/cam,m=publish'],
    ['unknown mode', `#!::r=live/cam,m=request,key=${KEY}`],
    ['broken stream id', '#!::r'],
    ['bad name', `publish:..:${KEY}`],
  ])('for %s', async (_why, streamId) => {
    expect(await publish(streamId)).not.toBe(0);
    expect(received.size).toBe(0);
  });

  test('for a stream that is live, which goes on', async () => {
    encode(`publish:cam:${KEY}`, ['-stream_loop', '-1']);
    await vi.waitFor(() => expect(received.has('cam')).toBe(true), PATIENCE);
    expect(await publish(`publish:cam:${KEY}`)).not.toBe(0);
    expect(received.get('cam')?.end).toBeUndefined();
    expect(live.has('cam')).toBe(true);
  });

  test('by libsrt after our consent, over encryption, leave the name free', async () => {
    expect(await publish(`publish:cam:${KEY}&passphrase=0123456789abcdef`)).not.toBe(0);
    await vi.waitFor(() => expect(live.size).toBe(0), PATIENCE);
    expect(await publish(`publish:cam:${KEY}`)).toBe(0);
  });
});

describe('the port', () => {
  test('that another listener has is named with a remedy', async () => {
    const other = start({ port: server.port });
    await expect(other).rejects.toMatchObject({ name: 'SrtPortInUseError', code: 'srt-port-in-use' });
    await expect(other).rejects.toThrow(`UDP port ${server.port} on ${HOST} is in use`);
  });

  test('that another program has is named too', async () => {
    const program = createSocket('udp4');
    program.bind(0, HOST);
    await once(program, 'listening');
    await expect(start({ port: program.address().port })).rejects.toMatchObject({ code: 'srt-port-in-use' });
    program.close();
  });

  test('is free again after close, which ends the feeds at once', async () => {
    encode(`publish:cam:${KEY}`, ['-stream_loop', '-1']);
    await vi.waitFor(() => expect(received.has('cam')).toBe(true), PATIENCE);
    const before = performance.now();
    await server.close();
    expect(performance.now() - before).toBeLessThan(2_000);
    await vi.waitFor(() => expect(received.get('cam')?.end).toMatchObject({ reason: 'closed' }), PATIENCE);
    server = await start({ port: server.port });
  });
});

function start(
  options: { port?: number; limits?: { queueBytes?: number; stallMs?: number } } = {},
): Promise<SrtServer> {
  const log = pino({ level: 'silent' });
  const { port = 0, limits = {} } = options;
  return startSrtServer({ host: HOST, port, gate: makeGate(), log, latencyMs: 120, limits });
}

function makeGate(): IngestGate {
  return {
    admit: (request) => {
      const name = parseStreamName(request.stream);
      if (!name.ok) {
        return fail({ reason: 'invalid-name', detail: name.failure.expected });
      }
      if (request.key !== KEY) {
        return fail({ reason: request.key === undefined ? 'missing-key' : 'wrong-key', detail: 'wrong' });
      }
      if (live.has(name.value)) {
        return fail({ reason: 'already-live', detail: 'live' });
      }
      live.add(name.value);
      return ok({
        stream: name.value,
        start: (feed) => consume(feed),
        release: () => void live.delete(name.value),
      });
    },
  };
}

async function collect(feed: MediaFeed): Promise<void> {
  const record: Received = { feed, events: [], end: undefined };
  received.set(feed.stream, record);
  for await (const event of feed.events) {
    record.events.push(event);
    record.end = event.kind === 'end' ? event.end : undefined;
  }
}

/** Reads on until `count` events have come, then leaves. */
async function readSome(feed: MediaFeed, count: number): Promise<void> {
  let seen = 0;
  for await (const event of feed.events) {
    expect(event.kind).not.toBe('end');
    seen += 1;
    if (seen === count) {
      return;
    }
  }
}

function encode(streamId: string, before: readonly string[] = [], input?: readonly string[]): ChildProcess {
  // Without lingering ffmpeg throws away what it has not sent yet when it stops.
  const url = `srt://${HOST}:${server.port}?linger=2&streamid=${streamId}`;
  const media = input ?? ['-i', source, '-c', 'copy', '-f', 'mpegts'];
  const encoder = spawn('ffmpeg', ['-loglevel', 'quiet', '-re', ...before, ...media, url], {
    stdio: 'ignore',
  });
  encoders.add(encoder);
  encoder.once('exit', () => encoders.delete(encoder));
  return encoder;
}

async function publish(streamId: string): Promise<number | null> {
  const encoder = encode(streamId);
  await once(encoder, 'exit');
  return encoder.exitCode;
}

async function stop(encoder: ChildProcess): Promise<void> {
  if (encoder.exitCode === null && encoder.signalCode === null) {
    const exited = once(encoder, 'exit');
    encoder.kill('SIGKILL');
    await exited;
  }
}

async function decode(name: string): Promise<{ errors: string; frames: number }> {
  const file = join(folder, `${name}.m2ts`);
  const events = received.get(name)?.events ?? [];
  const bytes = events.flatMap((event) => (event.kind === 'media' ? [event.bytes] : []));
  await writeFile(file, Buffer.concat(bytes));
  const report = ['-of', 'default=noprint_wrappers=1:nokey=1'];
  const video = ['-select_streams', 'v', '-count_frames', '-show_entries', 'stream=nb_read_frames'];
  const { stdout, stderr } = await run('ffprobe', ['-v', 'error', ...video, ...report, file]);
  expect((await readFile(file)).length).toBeGreaterThan(0);
  return { errors: stderr, frames: Number(stdout.trim().split('\n')[0]) };
}
