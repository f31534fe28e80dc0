import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseStreamName } from '#shared/identifiers.ts';
import { epoch } from '#shared/media-time.ts';
import { createLog } from '../log.ts';
import { createHttpClient } from './http-client.ts';
import { openHubPublisher, type HubPublisher } from './hub-client.ts';
import type { HubLoss } from './hub-loss.ts';
import type { HubLimits } from './hub-limits.ts';
import { fetchHubPosition } from './hub-position.ts';
import { startTestServer, TestHub, type TestServer } from './test-server.ts';
import type { UnnumberedUpdate } from './send-window.ts';

const QUICK = { baseMs: 2, maxMs: 10 };
const WAIT = { timeout: 10_000, interval: 2 };
const END: UnnumberedUpdate = { kind: 'end' };
const TOKEN = 'service-token-of-the-test';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) {
    await cleanup();
  }
});

function name(text: string) {
  const parsed = parseStreamName(text);
  if (!parsed.ok) {
    throw new Error(text);
  }
  return parsed.value;
}

function connection() {
  const client = createHttpClient({ maxConnections: 4 });
  cleanups.push(() => client.close());
  return client.send;
}

async function serve(hub: TestHub, port = 0): Promise<TestServer> {
  const server = await startTestServer((request) => hub.handle(request), port);
  cleanups.push(() => server.close());
  return server;
}

function open(
  edgeUrl: URL,
  limits: Partial<HubLimits> = {},
  now?: () => number,
): { readonly publisher: HubPublisher; readonly losses: HubLoss[] } {
  const losses: HubLoss[] = [];
  const publisher = openHubPublisher({
    edgeUrl,
    serviceToken: TOKEN,
    stream: name('cam'),
    epoch: epoch(1000),
    log: createLog({ level: 'silent', pretty: false, name: 'test' }),
    send: connection(),
    onLost: (loss) => losses.push(loss),
    limits: { retry: QUICK, refusedRetry: QUICK, ...limits },
    ...(now === undefined ? {} : { now }),
  });
  cleanups.push(() => publisher.close());
  return { publisher, losses };
}

function payload(size: number): Uint8Array {
  return new Uint8Array(size).fill(1);
}

function hold(hub: TestHub): () => void {
  let release = (): void => undefined;
  hub.gate = new Promise((resolve) => {
    release = resolve;
  });
  return release;
}

describe('a hub publisher', () => {
  it('begins an epoch with update 0, and only there', async () => {
    const hub = new TestHub();
    const server = await serve(hub);
    const { publisher } = open(server.url);
    const audio = { kind: 'audio' as const, codecs: 'mp4a.40.2', sampleRate: 48_000, channels: 2 };
    const begin: UnnumberedUpdate = {
      kind: 'begin',
      firstMsn: 42,
      targetDuration: 2,
      partTarget: 0.5,
      windowSegments: 15,
      renditions: [{ ...audio, name: 'audio', bandwidth: 128_000 }],
    };
    publisher.publish(begin, payload(0));
    expect(await publisher.flush(10_000)).toBe(true);
    expect(hub.frames[0]?.update).toEqual({ ...begin, seq: 0 });
    expect(() => publisher.publish(begin, payload(0))).toThrow('update 0 of an epoch');
  });

  it('sends what was published in one turn in one request, and what follows in order', async () => {
    const hub = new TestHub();
    const server = await serve(hub);
    const { publisher } = open(server.url);
    publisher.publish({ kind: 'init', rendition: '720p' }, payload(3));
    publisher.publish({ kind: 'init', rendition: 'audio' }, payload(4));
    expect(await publisher.flush(10_000)).toBe(true);
    publisher.publish(END, payload(0));
    expect(await publisher.flush(10_000)).toBe(true);
    expect(hub.requests.map(({ method, path, headers }) => [method, path, headers.authorization])).toEqual([
      ['POST', '/publish/cam/1000', `Bearer ${TOKEN}`],
      ['POST', '/publish/cam/1000', `Bearer ${TOKEN}`],
    ]);
    expect(hub.frames.map(({ update }) => [update.seq, update.kind])).toEqual([
      [0, 'init'],
      [1, 'init'],
      [2, 'end'],
    ]);
    expect(server.connections()).toBe(1);
    expect(publisher.stats).toMatchObject({ waitingUpdates: 0, waitingBytes: 0, acknowledgedUpdates: 3 });
  });

  it('has one request in flight and batches what comes meanwhile, up to the body limit', async () => {
    const hub = new TestHub();
    const server = await serve(hub);
    const release = hold(hub);
    const { publisher } = open(server.url, { bodyBytes: 5000 });
    publisher.publish(END, payload(1000));
    await vi.waitFor(() => expect(hub.requests).toHaveLength(1), WAIT);
    for (let update = 1; update < 7; update += 1) {
      publisher.publish(END, payload(1000));
    }
    expect(hub.requests).toHaveLength(1);
    release();
    expect(await publisher.flush(10_000)).toBe(true);
    expect(hub.requests).toHaveLength(3);
    expect(hub.taken).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('goes on after 500s, broken connections, time-outs and nonsense, without loss or repetition', async () => {
    const hub = new TestHub();
    const server = await serve(hub);
    hub.faults.push(
      'reset',
      { status: 500 },
      'hang',
      { status: 200, body: '{"status":"what"}' },
      { status: 429 },
    );
    const { publisher } = open(server.url, { requestMs: 100 });
    publisher.publish(END, payload(10));
    publisher.publish(END, payload(10));
    expect(await publisher.flush(20_000)).toBe(true);
    expect(hub.taken).toEqual([0, 1]);
    expect(publisher.stats).toMatchObject({ connected: true, failedRequests: 5 });
  });

  it('keeps updates while nothing listens and delivers them when the hub is there', async () => {
    const hub = new TestHub();
    const gone = await startTestServer(() => 'reset');
    await gone.close();
    const { publisher } = open(gone.url);
    publisher.publish(END, payload(10));
    await vi.waitFor(() => expect(publisher.stats.failedRequests).toBeGreaterThan(1), WAIT);
    expect(publisher.stats).toMatchObject({ connected: false, waitingUpdates: 1 });
    await serve(hub, gone.port);
    await vi.waitFor(() => expect(hub.taken).toEqual([0]), WAIT);
  });

  it('sends acknowledged updates again when a restarted hub expects them', async () => {
    const hub = new TestHub();
    const server = await serve(hub);
    const { publisher, losses } = open(server.url);
    for (let update = 0; update < 5; update += 1) {
      publisher.publish(END, payload(10));
      await publisher.flush(10_000);
    }
    hub.next = 2;
    hub.frames.splice(2);
    publisher.publish(END, payload(10));
    expect(await publisher.flush(10_000)).toBe(true);
    expect(hub.taken).toEqual([0, 1, 2, 3, 4, 5]);
    expect(losses).toEqual([]);
  });

  it('tells the owner when the hub expects an update that is no longer kept', async () => {
    const hub = new TestHub();
    const server = await serve(hub);
    const { publisher, losses } = open(server.url, { acknowledged: { maxBytes: 0, maxAgeMs: 0 } });
    publisher.publish(END, payload(10));
    await publisher.flush(10_000);
    hub.next = 0;
    publisher.publish(END, payload(10));
    expect(await publisher.flush(10_000)).toBe(false);
    expect(losses).toEqual([{ reason: 'gap', expected: 0, oldest: 1 }]);
  });

  it('tells the owner where a new epoch goes on when this one is stale, and sends no more', async () => {
    const hub = new TestHub();
    const server = await serve(hub);
    hub.faults.push({ status: 409, body: '{"status":"stale","latestEpoch":2000,"nextMsn":9}' });
    const { publisher, losses } = open(server.url);
    publisher.publish(END, payload(10));
    await vi.waitFor(() => expect(losses).toHaveLength(1), WAIT);
    publisher.publish(END, payload(10));
    expect(await publisher.flush(1000)).toBe(false);
    expect(losses).toEqual([{ reason: 'stale', latestEpoch: 2000, nextMsn: 9 }]);
    expect(hub.requests).toHaveLength(1);
  });

  it('tells the owner when the hub finds an update invalid', async () => {
    const hub = new TestHub();
    const server = await serve(hub);
    hub.faults.push({ status: 400, body: '{"status":"invalid","detail":"no such rendition"}' });
    const { publisher, losses } = open(server.url);
    publisher.publish(END, payload(10));
    await vi.waitFor(
      () => expect(losses).toEqual([{ reason: 'invalid', detail: 'no such rendition' }]),
      WAIT,
    );
  });

  it('waits long after a refused token, and goes on once it is accepted', async () => {
    const hub = new TestHub();
    const server = await serve(hub);
    hub.faults.push({ status: 401, body: '{"error":"no"}' }, { status: 403 });
    const { publisher, losses } = open(server.url, { retry: { baseMs: 60_000, maxMs: 60_000 } });
    publisher.publish(END, payload(10));
    expect(await publisher.flush(20_000)).toBe(true);
    expect(hub.taken).toEqual([0]);
    expect(losses).toEqual([]);
  });

  it.each([
    ['bytes', { waitingBytes: 3000 }, 0],
    ['age', { waitingMs: 50 }, 30],
  ])(
    'gives the epoch up when the window overflows in %s, and says so when the hub is back',
    async (_, limits, step) => {
      const hub = new TestHub();
      const gone = await startTestServer(() => 'reset');
      await gone.close();
      let now = 0;
      const { publisher, losses } = open(gone.url, limits, () => now);
      for (let update = 0; update < 5; update += 1) {
        publisher.publish(END, payload(1000));
        now += step;
      }
      const failed = publisher.stats.failedRequests;
      await vi.waitFor(() => expect(publisher.stats.failedRequests).toBeGreaterThan(failed + 1), WAIT);
      expect(publisher.stats).toMatchObject({ waitingUpdates: 0, waitingBytes: 0 });
      expect(losses).toEqual([]);
      await serve(hub, gone.port);
      await vi.waitFor(() => expect(losses).toEqual([{ reason: 'overflow', droppedUpdates: 5 }]), WAIT);
      expect(hub.requests.map(({ method }) => method)).toEqual(['GET']);
    },
  );

  it('refuses a payload that the wire format cannot carry', async () => {
    const server = await serve(new TestHub());
    const { publisher } = open(server.url);
    expect(() => publisher.publish(END, new Uint8Array(16 * 1024 * 1024 + 1))).toThrow(RangeError);
  });

  it('ends at once when closed, even while the hub hangs', async () => {
    const hub = new TestHub();
    hub.faults.push('hang');
    const server = await serve(hub);
    const { publisher } = open(server.url);
    publisher.publish(END, payload(10));
    await vi.waitFor(() => expect(hub.requests).toHaveLength(1), WAIT);
    const flushed = publisher.flush(10_000);
    publisher.close();
    expect(await flushed).toBe(false);
  });
});

describe('the hub position', () => {
  const ask = (edgeUrl: URL, tries: number) =>
    fetchHubPosition({
      edgeUrl,
      serviceToken: TOKEN,
      stream: name('cam'),
      send: connection(),
      tries,
      timeoutMs: 100,
      retry: QUICK,
    });

  it('is asked for again after a time-out and a failure', async () => {
    const hub = new TestHub();
    hub.faults.push('hang', { status: 503 });
    const server = await serve(hub);
    expect(await ask(server.url, 3)).toEqual({ ok: true, value: { latestEpoch: 7, nextMsn: 42 } });
    expect(hub.requests[0]?.path).toBe('/publish/cam');
  });

  it('fails at once with the remedy when the token is refused', async () => {
    const hub = new TestHub();
    hub.faults.push({ status: 401 });
    const server = await serve(hub);
    const position = await ask(server.url, 3);
    expect(position).toMatchObject({ ok: false, failure: { reason: 'refused' } });
    expect(JSON.stringify(position)).toContain('RILL_SERVICE_TOKEN');
    expect(JSON.stringify(position)).not.toContain(TOKEN);
    expect(hub.requests).toHaveLength(1);
  });

  it('fails after the last try', async () => {
    const gone = await startTestServer(() => 'reset');
    await gone.close();
    expect(await ask(gone.url, 2)).toMatchObject({ ok: false, failure: { reason: 'unavailable' } });
  });
});
