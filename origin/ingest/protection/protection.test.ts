import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { audioHeader, videoFrame, videoHeader } from '../flv/test-tags.ts';
import type { RtmpServer } from '../rtmp/listen.ts';
import { startRtmpServer } from '../rtmp/rtmp-server.ts';
import { TEST_KEY, TestGate } from '../rtmp/test-gate.ts';
import { TestPublisher } from '../rtmp/test-publisher.ts';
import { AddressBuckets, networkOf } from './address-buckets.ts';
import { protectIngest } from './protection.ts';
import { ingestLimitsSchema, type IngestLimits } from './settings.ts';

const QUERY = `?key=${encodeURIComponent(TEST_KEY)}`;
const WAIT = { timeout: 10_000, interval: 5 };
const REMOTE = '192.0.2.7:40000';
const servers: RtmpServer[] = [];

async function start(given: Partial<IngestLimits>) {
  let text = '';
  const sink = new PassThrough();
  sink.on('data', (bytes: Buffer) => (text += bytes.toString()));
  const log = pino({ level: 'debug' }, sink);
  const gate = new TestGate();
  const ingest = protectIngest(gate, ingestLimitsSchema.parse(given), log);
  const server = await startRtmpServer({ host: '127.0.0.1', port: 0, ...ingest, log });
  servers.push(server);
  const { port } = server;
  return { gate, port, guarded: ingest.gate, log: () => text, publisher: () => new TestPublisher(port) };
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

describe('a bucket by address', () => {
  test('gives what it holds at once, then what comes back, to each address its own', () => {
    let now = 0;
    const buckets = new AddressBuckets({ size: 2, perSecond: 1 }, () => now);
    expect([1, 2, 3].map(() => buckets.take('192.0.2.1'))).toEqual([true, true, false]);
    expect(buckets.take('192.0.2.2')).toBe(true);
    expect(buckets.waitSeconds('192.0.2.1:5000')).toBe(1);
    now = 1_000;
    expect(buckets.waitSeconds('192.0.2.1')).toBe(0);
    expect([1, 2].map(() => buckets.take('192.0.2.1'))).toEqual([true, false]);
  });

  test('holds no more addresses than it may, and forgets the one not seen for longest', () => {
    const buckets = new AddressBuckets({ size: 1, perSecond: 0.001 }, () => 0);
    for (let index = 0; index < 20_000; index += 1) {
      buckets.take(`10.0.${index >> 8}.${index & 0xff}`);
      buckets.take('192.0.2.1');
    }
    expect(buckets.size).toBe(8_192);
    expect(buckets.take('192.0.2.1')).toBe(false);
  });

  test('takes all of an IPv6 /64 for one, and an IPv4-mapped address for the IPv4 one', () => {
    expect(networkOf('[2001:db8::1]:9000')).toBe(networkOf('2001:db8::ffff:0:1'));
    expect(networkOf('2001:db8:0:1::1')).not.toBe(networkOf('2001:db8::1'));
    expect(networkOf('::ffff:192.0.2.1')).toBe(networkOf('192.0.2.1:1'));
  });
});

describe('over RTMP', () => {
  test('new connections beyond the rate are closed at once, and one line says so', async () => {
    const { gate, log, port, publisher } = await start({ newAtOnce: 3, newPerSecond: 0.1 });
    const first = publisher();
    first.publish(`first${QUERY}`);
    await vi.waitUntil(() => gate.live.has('first'), WAIT);
    const others = Array.from({ length: 20 }, () => connect({ host: '127.0.0.1', port }));
    let closed = 0;
    for (const other of others) {
      other.on('error', () => other.destroy()).once('close', () => (closed += 1));
    }
    await vi.waitUntil(() => closed >= others.length - 2, WAIT);
    expect(log().match(/too many new ones from this address/g)).toHaveLength(1);
    first.tags(videoHeader(), audioHeader(), videoFrame(0, true));
    await vi.waitUntil(() => gate.feedsOf('first')[0]?.events.length === 2, WAIT);
    others.forEach((other) => other.destroy());
  });

  test('refused keys make an address wait, whatever it then shows', async () => {
    const { gate, publisher } = await start({ failedAtOnce: 2, failedPerMinute: 0.1 });
    for (const key of ['guess', 'guess2', TEST_KEY]) {
      const encoder = publisher();
      encoder.publish(`demo?key=${encodeURIComponent(key)}`);
      await encoder.closed;
      expect(encoder.codes()).toContain('NetStream.Publish.Denied');
    }
    expect(gate.requests.map(({ key }) => key)).toEqual(['guess', 'guess2']);
  });

  test('a publisher is read no faster than the rate, without loss, and others are not slowed down', async () => {
    const { gate, log, publisher } = await start({ maxMbps: 8 });
    const [flood, calm] = [publisher(), publisher()];
    const began = performance.now();
    flood.publish(`flood${QUERY}`);
    calm.publish(`calm${QUERY}`);
    flood.tags(videoHeader(), audioHeader());
    calm.tags(videoHeader(), audioHeader());
    // 2 MB where 1 MB may come at once and 1 MB in each second after that.
    for (let index = 0; index < 40; index += 1) {
      flood.tags(videoFrame(index, index === 0, 50_000));
    }
    calm.tags(videoFrame(0, true));
    await vi.waitUntil(() => gate.feedsOf('calm')[0]?.events.length === 2, WAIT);
    const calmMs = performance.now() - began;
    await vi.waitUntil(() => gate.feedsOf('flood')[0]?.events.length === 41, WAIT);
    const floodMs = performance.now() - began;
    expect(floodMs).toBeGreaterThan(900);
    expect(calmMs).toBeLessThan(floodMs);
    expect(log().match(/RTMP publisher is read at 8 Mbit/g)).toHaveLength(1);
  });
});

describe('over SRT', () => {
  const request = { protocol: 'srt', key: TEST_KEY, remoteAddress: REMOTE } as const;

  test('handshakes beyond the rate are refused until time has passed', async () => {
    const { guarded } = await start({ newAtOnce: 2, newPerSecond: 0.1 });
    const outcomes = ['a', 'b', 'c'].map((stream) => guarded.admit({ ...request, stream }).ok);
    expect(outcomes).toEqual([true, true, false]);
    expect(guarded.admit({ ...request, stream: 'd', remoteAddress: '192.0.2.8:1' }).ok).toBe(true);
  });

  test('an address publishes no more streams than it may, and a release makes room once', async () => {
    const { guarded } = await start({ connectionsPerAddress: 1 });
    const first = guarded.admit({ ...request, stream: 'a' });
    expect(guarded.admit({ ...request, stream: 'b' }).ok).toBe(false);
    if (first.ok) {
      first.value.release();
      first.value.release();
    }
    expect(guarded.admit({ ...request, stream: 'b' }).ok).toBe(true);
    expect(guarded.admit({ ...request, stream: 'c' }).ok).toBe(false);
  });
});
