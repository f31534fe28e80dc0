import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { MediaFeed } from '../../origin/ingest/media-feed.ts';
import { HOST, KEY, PATIENCE, SrtScene } from '../support/srt-scene.ts';

let scene: SrtScene;

beforeAll(async () => {
  scene = await SrtScene.open();
});

afterAll(async () => {
  await scene.remove();
});

beforeEach(async () => {
  await scene.start();
});

afterEach(async () => {
  await scene.reset();
});

describe('publishers', () => {
  test('with either form of stream id are received at once, and their media decodes without errors', async () => {
    const exits = await Promise.all([
      scene.publish(`#!::r=live/first,m=publish,key=${KEY}`),
      scene.publish(`publish:second:${KEY}`),
    ]);
    expect(exits).toEqual([0, 0]);
    for (const name of ['first', 'second']) {
      await vi.waitFor(
        () => expect(scene.received.get(name)?.end).toEqual({ reason: 'unpublished' }),
        PATIENCE,
      );
      expect(scene.received.get(name)?.events[0]).toMatchObject({
        kind: 'source',
        source: {
          video: { codec: 'h264', width: 320, height: 240, frameRate: 25 },
          audio: { codec: 'aac', sampleRate: 48_000, channels: 1 },
        },
      });
      expect(await scene.decode(name)).toEqual({ errors: '', frames: 50 });
    }
    expect(scene.live.size).toBe(0);
  });

  test('appear in the statistics while they are live', async () => {
    const encoder = scene.encode(`publish:cam:${KEY}`, ['-stream_loop', '-1']);
    await vi.waitFor(
      () => expect(scene.server.statistics()[0]?.packetsReceived).toBeGreaterThan(0),
      PATIENCE,
    );
    const [reading] = scene.server.statistics();
    expect(reading).toMatchObject({ stream: 'cam', packetsDropped: 0, latencyMs: 120 });
    expect(reading?.bytesReceived).toBeGreaterThan(1_000);
    expect(reading?.receiveRateMbps).toBeGreaterThan(0);
    expect(reading?.rttMs).toBeGreaterThan(0);
    await scene.stop(encoder);
  });

  test('are let go when the pipeline closes their feed', async () => {
    scene.encode(`publish:cam:${KEY}`, ['-stream_loop', '-1']);
    await vi.waitFor(() => expect(scene.received.get('cam')?.events.length).toBeGreaterThan(2), PATIENCE);
    scene.received.get('cam')?.feed.close('no longer wanted');
    await vi.waitFor(() => expect(scene.received.get('cam')?.end).toBeDefined(), PATIENCE);
    expect(scene.received.get('cam')?.end).toEqual({ reason: 'closed', detail: 'no longer wanted' });
    expect(scene.live.size).toBe(0);
  });

  test('that send something else than MPEG-TS are rejected', async () => {
    const garbage = scene.file('garbage');
    await writeFile(garbage, Buffer.alloc(200_000, 0x42));
    scene.encode(
      `publish:cam:${KEY}`,
      [],
      ['-f', 'data', '-i', garbage, '-map', '0', '-c', 'copy', '-f', 'data'],
    );
    await vi.waitFor(
      () => expect(scene.received.get('cam')?.end).toMatchObject({ reason: 'rejected' }),
      PATIENCE,
    );
  });

  test('of which a slow pipeline takes nothing are paused, and the others are not', async () => {
    await scene.server.close();
    await scene.start({ limits: { queueBytes: 20_000 } });
    const feeds: MediaFeed[] = [];
    const collect = scene.consume;
    scene.consume = (feed) => (feed.stream === 'slow' ? void feeds.push(feed) : collect(feed));
    scene.encode(`publish:slow:${KEY}`, ['-stream_loop', '-1']);
    expect(await scene.publish(`publish:quick:${KEY}`)).toBe(0);
    await vi.waitFor(
      () => expect(scene.received.get('quick')?.end).toEqual({ reason: 'unpublished' }),
      PATIENCE,
    );
    expect(await scene.decode('quick')).toEqual({ errors: '', frames: 50 });
    const [slow] = feeds;
    await (slow === undefined ? Promise.reject(new Error('no feed')) : readSome(slow, 50));
    expect(scene.live.has('slow')).toBe(false);
  });

  test('that are silent for the limit are ended as stalled', async () => {
    await scene.server.close();
    await scene.start({ limits: { stallMs: 1_000 } });
    const encoder = scene.encode(`publish:cam:${KEY}`, ['-stream_loop', '-1']);
    await vi.waitFor(() => expect(scene.received.get('cam')?.events.length).toBeGreaterThan(0), PATIENCE);
    encoder.kill('SIGSTOP');
    await vi.waitFor(() => expect(scene.received.get('cam')?.end).toBeDefined(), PATIENCE);
    expect(scene.received.get('cam')?.end).toEqual({ reason: 'stalled', afterSeconds: 1 });
    encoder.kill('SIGCONT');
  });

  test('whose path breaks without a goodbye are ended as lost, and the name is free', async () => {
    const encoder = scene.encode(`publish:cam:${KEY}`, ['-stream_loop', '-1']);
    await vi.waitFor(() => expect(scene.received.get('cam')?.events.length).toBeGreaterThan(0), PATIENCE);
    encoder.kill('SIGKILL');
    await vi.waitFor(() => expect(scene.received.get('cam')?.end).toBeDefined(), PATIENCE);
    expect(scene.received.get('cam')?.end).toMatchObject({ reason: 'connection-lost' });
    expect(scene.live.size).toBe(0);
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
    expect(await scene.publish(streamId)).not.toBe(0);
    expect(scene.received.size).toBe(0);
  });

  test('for a stream that is live, which goes on', async () => {
    scene.encode(`publish:cam:${KEY}`, ['-stream_loop', '-1']);
    await vi.waitFor(() => expect(scene.received.has('cam')).toBe(true), PATIENCE);
    expect(await scene.publish(`publish:cam:${KEY}`)).not.toBe(0);
    expect(scene.received.get('cam')?.end).toBeUndefined();
    expect(scene.live.has('cam')).toBe(true);
  });

  test('by libsrt after our consent, over encryption, leave the name free', async () => {
    expect(await scene.publish(`publish:cam:${KEY}&passphrase=0123456789abcdef`)).not.toBe(0);
    await vi.waitFor(() => expect(scene.live.size).toBe(0), PATIENCE);
    expect(await scene.publish(`publish:cam:${KEY}`)).toBe(0);
  });
});

describe('the port', () => {
  test('that another listener has is named with a remedy', async () => {
    const other = scene.startOther({ port: scene.server.port });
    await expect(other).rejects.toMatchObject({ name: 'SrtPortInUseError', code: 'srt-port-in-use' });
    await expect(other).rejects.toThrow(`UDP port ${scene.server.port} on ${HOST} is in use`);
  });

  test('that another program has is named too', async () => {
    const program = createSocket('udp4');
    program.bind(0, HOST);
    await once(program, 'listening');
    await expect(scene.startOther({ port: program.address().port })).rejects.toMatchObject({
      code: 'srt-port-in-use',
    });
    program.close();
  });

  test('is free again after close, which ends the feeds at once', async () => {
    scene.encode(`publish:cam:${KEY}`, ['-stream_loop', '-1']);
    await vi.waitFor(() => expect(scene.received.has('cam')).toBe(true), PATIENCE);
    const before = performance.now();
    await scene.server.close();
    expect(performance.now() - before).toBeLessThan(2_000);
    await vi.waitFor(
      () => expect(scene.received.get('cam')?.end).toMatchObject({ reason: 'closed' }),
      PATIENCE,
    );
    await scene.start({ port: scene.server.port });
  });
});

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
