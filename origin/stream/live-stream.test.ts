import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseStreamName } from '#shared/identifiers.ts';
import { milliseconds, seconds } from '#shared/media-time.ts';
import type { FeedEvent, MediaFeed } from '../ingest/media-feed.ts';
import { TransportStreamProbe } from '../ingest/mpegts/probe.ts';
import type { Log } from '../log.ts';
import { createHttpClient, type HttpClient } from '../publish/http-client.ts';
import { openObjectStore } from '../publish/object-store.ts';
import { openObjectWriter, type ObjectWriter } from '../publish/object-writer.ts';
import { startTestServer, TestHub, type TestServer } from '../publish/test-server.ts';
import { encoderTable } from '../transcode/encoder-table.ts';
import { ladderSchema } from '../transcode/ladder.ts';
import { ok } from '#shared/result.ts';
import { StreamTelemetry } from './stream-telemetry.ts';
import { DEFAULT_RECORDING } from '../publish/retention/settings.ts';
import { LiveStream } from './live-stream.ts';

const FALL_BACK = 'hardware encoding failed';
/** How long the source waits for that, milliseconds. */
const LIMIT_MS = 20_000;
const POLL_MS = 20;
const LADDER = ladderSchema.parse({
  video: [{ name: '90p', codec: 'h264', height: 90, bitrate: 200_000 }],
  audio: null,
  encoder: 'nvenc',
});

let folder = '';
let hub: TestHub;
let edge: TestServer;
let http: HttpClient;
let objects: ObjectWriter;
const messages: string[] = [];
const note = (fields: unknown, message?: string): void => {
  messages.push(message ?? String(fields));
};
// oxlint-disable-next-line typescript/consistent-type-assertions
const log = { trace: note, debug: () => undefined, info: note, warn: note, error: note } as unknown as Log;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'live-stream-'));
  hub = new TestHub();
  edge = await startTestServer((request) =>
    request.method === 'PUT' ? { status: 200 } : hub.handle(request),
  );
  http = createHttpClient({ maxConnections: 4 });
  const bucket = {
    endpoint: edge.url,
    bucket: 'media',
    region: 'auto',
    accessKeyId: 'a',
    secretAccessKey: 'b',
  };
  const store = openObjectStore(bucket, http.send);
  objects = await openObjectWriter({
    store,
    spoolFolder: join(folder, 'spool'),
    log,
    limits: { spoolBytes: 1e8 },
  });
});

afterAll(async () => {
  await objects.close(1_000);
  http.close();
  await edge.close();
  await rm(folder, { recursive: true });
});

it('goes on in software for this source when hardware fails as its run begins', async () => {
  const name = parseStreamName('news');
  if (!name.ok) {
    throw new Error('no stream name');
  }
  const { promise: over, resolve: onOver } = Promise.withResolvers<void>();
  const live = new LiveStream({
    stream: name.value,
    settings: {
      partTarget: seconds(0.5),
      segmentDuration: seconds(1),
      dvr: seconds(30),
      recording: DEFAULT_RECORDING,
      ladder: LADDER,
    },
    ffmpegPath: 'ffmpeg',
    // As if the probe had found it: the first run finds out that it does not work.
    encoders: encoderTable(() => true),
    destinations: { edgeUrl: edge.url, serviceToken: 'token', send: http.send, objects },
    telemetry: new StreamTelemetry(Date.now),
    reconnectGrace: 15_000,
    lease: { position: async () => ok(undefined), lose: () => undefined, release: async () => true },
    log,
    now: Date.now,
    onOver,
  });
  live.attach(feedWithPause(name.value, () => messages.some((message) => message.startsWith(FALL_BACK))));
  await over;
  expect(messages.filter((message) => message.startsWith(FALL_BACK))).toEqual([
    'hardware encoding failed: this source goes on in software',
  ]);
  expect(hub.frames.filter(({ update }) => update.kind === 'begin')).toHaveLength(1);
});

/** A transport stream that pauses after its first half second until something is true. */
function feedWithPause(stream: MediaFeed['stream'], mayGoOn: () => boolean): MediaFeed {
  async function* events(): AsyncGenerator<FeedEvent> {
    const probe = new TransportStreamProbe();
    const clip = makeClip();
    const pauseAt = Math.floor(clip.length / 188 / 8) * 188;
    const pieces = [clip.subarray(0, pauseAt), clip.subarray(pauseAt)];
    for (const piece of pieces) {
      for (const event of probe.push(piece, milliseconds(Date.now()))) {
        if (event.kind !== 'rejected') {
          yield event;
        }
      }
      const until = Date.now() + LIMIT_MS;
      while (!mayGoOn() && Date.now() < until) {
        await sleep(POLL_MS);
      }
    }
    yield { kind: 'end', end: { reason: 'unpublished' } };
  }
  const close = (): void => undefined;
  return {
    stream,
    protocol: 'srt',
    container: 'mpegts',
    remoteAddress: '127.0.0.1',
    events: events(),
    close,
  };
}

/** Four seconds, with a key frame twice a second. */
function makeClip(): Uint8Array {
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=30:duration=4'];
  const coding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '15', '-pix_fmt', 'yuv420p'];
  return new Uint8Array(execFileSync('ffmpeg', ['-v', 'error', ...source, ...coding, '-f', 'mpegts', '-']));
}
