import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { audioFrame, audioHeader, videoFrame, videoHeader } from '../flv/test-tags.ts';
import { FLV_VIDEO } from '../flv/flv-tag.ts';
import type { RtmpLimits } from './limits.ts';
import { ACKNOWLEDGEMENT, PING_REQUEST, PING_RESPONSE, USER_CONTROL, userControl } from './message.ts';
import { RtmpListenError, type RtmpServer } from './listen.ts';
import { startRtmpServer } from './rtmp-server.ts';
import { collect, TEST_KEY, TestGate } from './test-gate.ts';
import { TestPublisher } from './test-publisher.ts';

const QUERY = `?key=${encodeURIComponent(TEST_KEY)}`;
const WAIT = { timeout: 10_000, interval: 5 };
const servers: RtmpServer[] = [];

interface Started {
  readonly server: RtmpServer;
  readonly gate: TestGate;
  readonly log: () => string;
  readonly publisher: () => TestPublisher;
}

async function start(limits: Partial<RtmpLimits> = {}): Promise<Started> {
  const gate = new TestGate();
  const sink = new PassThrough();
  let text = '';
  sink.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  const log = pino({ level: 'debug' }, sink);
  const server = await startRtmpServer({ host: '127.0.0.1', port: 0, gate, log, limits });
  servers.push(server);
  return { server, gate, log: () => text, publisher: () => new TestPublisher(server.port) };
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

function until(condition: () => unknown): Promise<unknown> {
  return vi.waitUntil(condition, WAIT);
}

describe('publishing', () => {
  test('is answered as encoders expect, and the feed ends as unpublished', async () => {
    const { gate, publisher } = await start();
    const encoder = publisher();
    encoder.publish(`demo${QUERY}`);
    encoder.tags(videoHeader(), audioHeader(), videoFrame(0, true), audioFrame(1));
    await until(() => gate.feedsOf('demo')[0]?.events.length === 3 && encoder.codes().length >= 3);
    expect(encoder.codes()).toEqual([
      'NetConnection.Connect.Success',
      'NetStream.Publish.Start',
      'NetStream.Publish.Start',
    ]);
    encoder.command('FCUnpublish', 6, null, 'demo');
    encoder.command('deleteStream', 7, null, 1);
    encoder.socket.end();
    await until(() => gate.endOf('demo'));
    expect(gate.feedsOf('demo')[0]?.events.map(({ kind }) => kind)).toEqual([
      'source',
      'media',
      'media',
      'end',
    ]);
    expect(gate.endOf('demo')).toEqual({ reason: 'unpublished' });
    expect(gate.live.size).toBe(0);
    expect(gate.requests).toEqual([
      { protocol: 'rtmp', stream: 'demo', key: TEST_KEY, remoteAddress: '127.0.0.1' },
    ]);
  });

  test('of two streams at once keeps them apart, and an encoder that vanishes loses only its own', async () => {
    const { gate, publisher } = await start();
    const [a, b] = [publisher(), publisher()];
    a.publish(`a${QUERY}`);
    b.publish('b', `live${QUERY}`);
    await until(() => gate.live.size === 2);
    a.socket.resetAndDestroy();
    await until(() => gate.endOf('a'));
    expect(gate.endOf('a')).toMatchObject({ reason: 'connection-lost' });
    b.tags(videoHeader(), audioHeader(), videoFrame(0, true));
    await until(() => gate.feedsOf('b')[0]?.events.length === 2);
    expect([...gate.live]).toEqual(['b']);
  });

  test('is acknowledged per window and pings are answered', async () => {
    const { publisher } = await start({ pingMs: 20 });
    const encoder = publisher();
    encoder.publish(`demo${QUERY}`);
    encoder.message(5, 0, Buffer.from('00000400', 'hex'));
    encoder.message(USER_CONTROL, 0, userControl(PING_REQUEST, 0xabcd).payload);
    encoder.tags(videoHeader(), videoFrame(0, true, 3000));
    await until(() => encoder.messages.some(({ typeId }) => typeId === ACKNOWLEDGEMENT));
    const events = (): (number | undefined)[] =>
      encoder.messages.filter(({ typeId }) => typeId === USER_CONTROL).map(({ payload }) => payload[1]);
    await until(() => events().includes(PING_RESPONSE) && events().includes(PING_REQUEST));
  });

  test('ends as closed when the pipeline or the server closes', async () => {
    const { gate, publisher, server } = await start();
    const [a, b] = [publisher(), publisher()];
    a.publish(`a${QUERY}`);
    b.publish(`b${QUERY}`);
    await until(() => gate.live.size === 2);
    gate.feedsOf('a')[0]?.feed.close('taken over');
    await a.closed;
    expect(gate.endOf('a')).toEqual({ reason: 'closed', detail: 'taken over' });
    await server.close();
    await b.closed;
    expect(gate.endOf('b')).toMatchObject({ reason: 'closed' });
  });
});

describe('refusals', () => {
  test.each([
    ['demo?key=wrong-secret', 'NetStream.Publish.Denied'],
    ['demo', 'NetStream.Publish.Denied'],
    ['demo?key=', 'NetStream.Publish.Denied'],
    [`../demo${QUERY}`, 'NetStream.Publish.Denied'],
    [`${'x'.repeat(300)}${QUERY}`, 'NetStream.Publish.Denied'],
    [`strömung${QUERY}`, 'NetStream.Publish.Denied'],
  ])('publishing as %s is answered with %s', async (name, code) => {
    const { gate, publisher, log } = await start();
    const encoder = publisher();
    encoder.publish(name);
    await encoder.closed;
    expect(encoder.codes().at(-1)).toBe(code);
    expect(gate.feeds.length).toBe(0);
    expect(log()).not.toContain('wrong-secret');
  });

  test('a publisher waits for a decision unanswered, and what it sent meanwhile is not lost', async () => {
    const { gate, publisher } = await start();
    const decision = Promise.withResolvers<undefined>();
    gate.pending = decision.promise;
    const encoder = publisher();
    encoder.publish(`demo${QUERY}`);
    encoder.tags(videoHeader(), audioHeader(), videoFrame(0, true), audioFrame(1));
    await until(() => gate.requests.length === 1);
    expect(gate.feeds.length).toBe(0);
    decision.resolve(undefined);
    await until(() => gate.feedsOf('demo')[0]?.events.length === 3);
    expect(encoder.codes().at(-1)).toBe('NetStream.Publish.Start');
  });

  test('a publisher is refused after the decision', async () => {
    const { gate, publisher } = await start();
    gate.pending = Promise.resolve({ reason: 'wrong-key', detail: 'no' });
    const encoder = publisher();
    encoder.publish(`demo${QUERY}`);
    await encoder.closed;
    expect(encoder.codes().at(-1)).toBe('NetStream.Publish.Denied');
    expect([gate.feeds.length, gate.live.size]).toEqual([0, 0]);
  });

  test('a publisher that is cut off before the decision gives its name free', async () => {
    const { gate, publisher, server } = await start();
    gate.pending = new Promise(() => undefined);
    publisher().publish(`demo${QUERY}`);
    await until(() => gate.requests.length === 1);
    await server.close();
    expect(gate.live.size).toBe(0);
  });

  test('a second publisher of a live stream gets BadName and the first goes on', async () => {
    const { gate, publisher } = await start();
    const first = publisher();
    first.publish(`demo${QUERY}`);
    await until(() => gate.live.has('demo'));
    const second = publisher();
    second.publish(`demo${QUERY}`);
    await second.closed;
    expect(second.codes().at(-1)).toBe('NetStream.Publish.BadName');
    first.tags(videoHeader(), audioHeader());
    await until(() => gate.feedsOf('demo')[0]?.events.length === 1);
    expect(gate.live.has('demo')).toBe(true);
  });

  test('VVC under ExVideoTagHeader is refused by name and remedy', async () => {
    const { gate, publisher } = await start();
    const encoder = publisher();
    encoder.publish(`demo${QUERY}`);
    encoder.tags({ type: FLV_VIDEO, timestamp: 0, body: Buffer.from('\x90vvc1\x01', 'latin1') });
    await encoder.closed;
    const detail = 'VVC (vvc1) is not supported: send H.264, HEVC, AV1 or VP9 video and AAC or Opus audio';
    expect(encoder.codes().at(-1)).toBe('NetStream.Publish.Rejected');
    expect(gate.endOf('demo')).toEqual({ reason: 'rejected', detail });
  });

  test('another application, a player, and commands before connect are refused', async () => {
    const { publisher } = await start();
    const [other, player, early] = [publisher(), publisher(), publisher()];
    other.publish(`demo${QUERY}`, 'other');
    player.handshake();
    player.command('connect', 1, { kind: 'object', properties: new Map([['app', 'live']]) });
    player.command('noSuchThing', 2, null);
    player.command('play', 3, null, 'demo');
    early.handshake();
    early.command('createStream', 2, null);
    await Promise.all([other.closed, player.closed, early.closed]);
    expect(other.codes()).toEqual(['NetConnection.Connect.Rejected']);
    expect(player.codes().slice(1)).toEqual(['NetConnection.Call.Failed', 'NetStream.Play.Failed']);
    expect(early.codes()).toEqual(['NetConnection.Call.Failed']);
  });
});

describe('bad input', () => {
  test.each([
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'HTTP request'],
    ['a TLS ClientHello', Buffer.from('16030100f1010000ed0303', 'hex'), 'TLS ClientHello'],
    ['random bytes', Buffer.alloc(4000, 0xd7), 'random bytes'],
    ['random bytes behind a handshake', Buffer.concat([Buffer.of(3), Buffer.alloc(6000, 0xd7)]), 'chunk'],
  ])('%s ends with one warning that says so, and nobody else is disturbed', async (_, bytes, expected) => {
    const { gate, publisher, log } = await start();
    const encoder = publisher();
    encoder.publish(`demo${QUERY}`);
    await until(() => gate.live.has('demo'));
    const stranger = publisher();
    stranger.socket.write(bytes);
    await stranger.closed;
    const warnings = log()
      .split('\n')
      .filter((line) => line.includes('"level":40'));
    expect(warnings.length).toBe(1);
    expect(warnings[0]).toContain(expected);
    encoder.tags(videoHeader(), audioHeader());
    await until(() => gate.feedsOf('demo')[0]?.events.length === 1);
  });

  test('a chunk that announces 16 MB while publishing ends that feed as rejected', async () => {
    const { gate, publisher, log } = await start();
    const encoder = publisher();
    encoder.publish(`demo${QUERY}`);
    encoder.socket.write(Buffer.from('06000000ffffff0901000000', 'hex'));
    await encoder.closed;
    expect(gate.endOf('demo')).toMatchObject({ reason: 'rejected' });
    expect(log()).toContain('announces 16777215 bytes, at most 8388608 are taken');
  });
});

describe('limits', () => {
  test('a handshake and a publish command have to come in time', async () => {
    const { publisher, log } = await start({ handshakeMs: 50, firstPublishMs: 50 });
    const [silent, idle] = [publisher(), publisher()];
    silent.socket.write(Buffer.of(3, 0, 0));
    idle.handshake();
    await Promise.all([silent.closed, idle.closed]);
    expect(log()).toContain('the RTMP handshake did not come within 0.05 s');
    expect(log()).toContain('a publish command did not come within 0.05 s');
  });

  test('a publisher that stops sending without closing is stalled', async () => {
    const { gate, publisher } = await start({ stallMs: 150 });
    const encoder = publisher();
    encoder.publish(`demo${QUERY}`);
    encoder.tags(videoHeader(), audioHeader());
    await encoder.closed;
    expect(gate.endOf('demo')).toEqual({ reason: 'stalled', afterSeconds: 0.15 });
  });

  test('a publisher that never sends a sequence header is rejected', async () => {
    const { gate, publisher } = await start({ firstSourceMs: 100 });
    const encoder = publisher();
    encoder.publish(`demo${QUERY}`);
    encoder.tags(videoFrame(0, true));
    await encoder.closed;
    expect(gate.endOf('demo')).toMatchObject({ reason: 'rejected' });
    expect(encoder.codes().at(-1)).toBe('NetStream.Publish.Rejected');
  });

  test('a source without a second track is decided on the wall clock', async () => {
    const { gate, publisher } = await start();
    const encoder = publisher();
    encoder.publish(`demo${QUERY}`);
    encoder.tags(audioHeader(), audioFrame(0));
    await until(() => gate.feedsOf('demo')[0]?.events.length === 2);
  });

  test('connections are bounded per address and free again after', async () => {
    const { gate, publisher } = await start({ connectionsPerAddress: 1, closeGraceMs: 20 });
    const first = publisher();
    first.publish(`a${QUERY}`);
    await until(() => gate.live.has('a'));
    const second = publisher();
    await second.closed;
    first.socket.destroy();
    await until(() => gate.endOf('a'));
    const third = publisher();
    third.publish(`b${QUERY}`);
    await until(() => gate.live.has('b'));
  });

  test('a slow consumer pauses the socket without a stall, and gets everything once it reads', async () => {
    const { gate, publisher } = await start({
      queueHighBytes: 64 * 1024,
      queueLowBytes: 16 * 1024,
      stallMs: 100,
    });
    gate.reading = false;
    const encoder = publisher();
    encoder.publish(`demo${QUERY}`);
    encoder.chunkSize(65_536);
    const frames = Array.from({ length: 400 }, (_, index) => videoFrame(index * 33, index === 0, 50_000));
    encoder.tags(videoHeader(), audioHeader(), ...frames);
    encoder.command('deleteStream', 7, null, 1);
    await until(() => gate.feeds.length === 1);
    gate.reading = true;
    const quiet = publisher();
    quiet.publish(`quiet${QUERY}`);
    await until(() => gate.endOf('quiet'));
    expect(gate.live.has('demo')).toBe(true);
    expect(encoder.socket.writableLength).toBeGreaterThan(1024 * 1024);
    encoder.socket.end();
    const [recorded] = gate.feeds;
    await (recorded === undefined ? undefined : collect(recorded.feed, recorded.events));
    expect(gate.endOf('demo')).toEqual({ reason: 'unpublished' });
    expect(recorded?.events.length).toBe(1 + 400 + 1);
  });
});

describe('listening', () => {
  test('a port in use is named together with what to do', async () => {
    const { server, gate } = await start();
    const again = startRtmpServer({
      host: '127.0.0.1',
      port: server.port,
      gate,
      log: pino({ level: 'silent' }),
    });
    const error: unknown = await again.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RtmpListenError);
    expect(error).toMatchObject({
      code: 'rtmp-port-in-use',
      message: `RTMP port ${server.port} on 127.0.0.1 is in use: stop the program that has it, or take another with --rtmp-port`,
    });
  });
});
