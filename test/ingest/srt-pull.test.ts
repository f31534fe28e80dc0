import type { ChildProcess } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { SrtPullStatus } from '../../origin/ingest/srt/pull.ts';
import type { SrtStreamSettings } from '../../origin/ingest/srt/settings.ts';
import { freeUdpPort, HOST, KEY, PATIENCE, SrtScene } from '../support/srt-scene.ts';

const PASSPHRASE = 'correct horse battery staple';
const FAILED = 'SRT pull failed; the origin goes on calling';

let scene: SrtScene;

beforeAll(async () => {
  scene = await SrtScene.open();
});

afterAll(async () => {
  await scene.remove();
});

afterEach(async () => {
  await scene.reset();
});

describe('an encoder that listens', () => {
  test('is called, and called again when it comes back', async () => {
    const port = await freeUdpPort();
    await pull(port);
    for (let round = 0; round < 2; round += 1) {
      scene.received.clear();
      listen(port);
      await vi.waitFor(() => expect(status().state).toBe('live'), PATIENCE);
      expect(scene.server.statistics()[0]).toMatchObject({ stream: 'cam', mode: 'caller' });
      await vi.waitFor(
        () => expect(scene.received.get('cam')?.end).toEqual({ reason: 'unpublished' }),
        PATIENCE,
      );
      expect(await scene.decode('cam')).toEqual({ errors: '', frames: 50 });
    }
    expect(status()).toMatchObject({ lastFailure: 'the encoder ended the connection' });
    expect(scene.live.size).toBe(0);
  });

  test('is called with passphrase, key length, stream id and latency', async () => {
    const port = await freeUdpPort();
    listen(port, `&passphrase=${PASSPHRASE}`, ['-stream_loop', '-1']);
    await pull(port, { passphrase: PASSPHRASE, keyLength: 32, latencyMs: 700 }, 'cam from rill');
    await vi.waitFor(() => expect(scene.server.statistics()).toHaveLength(1), PATIENCE);
    expect(scene.server.statistics()[0]).toMatchObject({ encryption: 'aes-256', latencyMs: 700 });
    await vi.waitFor(() => expect(scene.received.get('cam')?.events.length).toBeGreaterThan(2), PATIENCE);
    scene.received.get('cam')?.feed.close('no longer wanted');
    await vi.waitFor(
      () => expect(scene.received.get('cam')?.end).toMatchObject({ reason: 'closed' }),
      PATIENCE,
    );
    expect(JSON.stringify([scene.lines, status()])).not.toContain(PASSPHRASE);
  });

  test('that has another passphrase, or one and we none, is named once as such while we go on calling', async () => {
    const port = await freeUdpPort();
    listen(port, `&passphrase=${PASSPHRASE}`);
    await pull(port, { passphrase: 'not the passphrase' });
    await vi.waitFor(() => expect(status().failedCalls).toBeGreaterThan(0), PATIENCE);
    expect(failures()).toEqual(['the passphrase is not the one that the encoder has']);
    await scene.reset();
    const other = await freeUdpPort();
    listen(other, `&passphrase=${PASSPHRASE}`);
    await pull(other);
    await vi.waitFor(() => expect(status().failedCalls).toBeGreaterThan(0), PATIENCE);
    expect(failures()).toEqual(['one side has a passphrase and the other has none']);
  });

  test('that is not there is named once however often it is called, and holds nothing up', async () => {
    await pull(await freeUdpPort(), {}, undefined, { connectMs: 200 });
    await vi.waitFor(() => expect(status().failedCalls).toBeGreaterThan(2), PATIENCE);
    expect(failures()).toEqual(['no answer: check host, port and firewall, and that the encoder listens']);
    expect(scene.live.size).toBe(0);
    expect(await scene.publish(`publish:other:${KEY}`)).toBe(0);
  });

  test('whose name is unknown is named as such', async () => {
    await scene.start();
    scene.pull({ cam: { pull: { host: 'no-such-host.invalid', port: 9000 } } });
    await vi.waitFor(() => expect(failures()).toHaveLength(1), PATIENCE);
    expect(failures()[0]).toMatch(/^the name no-such-host\.invalid cannot be resolved \(E[A-Z_]+\)$/);
  });

  test('refuses us with a code of its own, which is named', async () => {
    await pull((await scene.startOther()).port, {}, `publish:cam:wrong`);
    await vi.waitFor(
      () => expect(failures()).toEqual(['the encoder refused the stream id with code 1401']),
      PATIENCE,
    );
  });

  test('waits while somebody else publishes the stream', async () => {
    const port = await freeUdpPort();
    listen(port, '', ['-stream_loop', '-1']);
    await scene.start();
    scene.encode(`publish:cam:${KEY}`, ['-stream_loop', '-1']);
    await vi.waitFor(() => expect(scene.received.has('cam')).toBe(true), PATIENCE);
    scene.pull({ cam: { pull: { host: HOST, port } } });
    await vi.waitFor(() => expect(failures()).toEqual(['live']), PATIENCE);
    expect(scene.received.get('cam')?.end).toBeUndefined();
  });

  test('is let go when the settings no longer name it, and not for others’ sake', async () => {
    const port = await freeUdpPort();
    listen(port, '', ['-stream_loop', '-1']);
    await pull(port);
    await vi.waitFor(() => expect(status().state).toBe('live'), PATIENCE);
    const own = { cam: { pull: { host: HOST, port, streamId: undefined } } };
    scene.pull({ ...own, other: { pull: { host: HOST, port: await freeUdpPort() } } });
    expect(scene.server.pulls().map(({ stream, state }) => [stream, state])).toEqual([
      ['cam', 'live'],
      ['other', 'calling'],
    ]);
    scene.pull({});
    expect(scene.server.pulls()).toEqual([]);
    await vi.waitFor(
      () => expect(scene.received.get('cam')?.end).toMatchObject({ reason: 'closed' }),
      PATIENCE,
    );
  });

  test('is no longer called once the listener of ours is closed, however far a call has got', async () => {
    await pull(await freeUdpPort());
    expect(status().state).toBe('calling');
    const before = performance.now();
    await scene.server.close();
    expect(performance.now() - before).toBeLessThan(2_000);
    expect(failures()).toEqual([]);
  });
});

async function pull(
  port: number,
  settings: SrtStreamSettings = {},
  streamId?: string,
  limits: { readonly connectMs?: number } = {},
): Promise<void> {
  const address = { host: HOST, port, streamId };
  await scene.start({ limits });
  scene.pull({ cam: { ...settings, pull: address } });
}

function listen(port: number, options = '', before: readonly string[] = []): ChildProcess {
  return scene.send(`srt://${HOST}:${port}?mode=listener&linger=2${options}`, before);
}

function status(): SrtPullStatus {
  const [only] = scene.server.pulls();
  if (only === undefined) {
    throw new Error('nothing is pulled');
  }
  return only;
}

function failures(): readonly unknown[] {
  return scene.lines.flatMap(({ msg, detail }) => (msg === FAILED ? [detail] : []));
}
