import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { KEY, PATIENCE, SrtScene, settingsOf } from '../support/srt-scene.ts';

const PASSPHRASE = 'correct horse battery staple';

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

describe('a stream with a passphrase', () => {
  test.each([16, 24, 32])('takes a feed under it with a key of %i bytes', async (keyLength) => {
    await scene.start({ settingsOf: settingsOf({ cam: { passphrase: PASSPHRASE } }) });
    const encoder = scene.encode(`publish:cam:${KEY}&passphrase=${PASSPHRASE}&pbkeylen=${keyLength}`);
    await vi.waitFor(() => expect(scene.server.statistics()[0]).toBeDefined(), PATIENCE);
    expect(scene.server.statistics()[0]).toMatchObject({
      mode: 'listener',
      encryption: `aes-${keyLength * 8}`,
      packetsUndecrypted: 0,
    });
    await vi.waitFor(() => expect(scene.received.get('cam')?.end).toBeDefined(), PATIENCE);
    await vi.waitFor(() => expect(encoder.exitCode).toBe(0), PATIENCE);
    expect(await scene.decode('cam')).toEqual({ errors: '', frames: 50 });
  });

  test.each([
    ['another', '&passphrase=not the passphrase at all'],
    ['none', ''],
  ])('refuses a caller with %s in the handshake, says so once, and stays free', async (_what, options) => {
    await scene.start({ settingsOf: settingsOf({ cam: { passphrase: PASSPHRASE } }) });
    expect(await scene.publish(`publish:cam:${KEY}${options}`)).not.toBe(0);
    await vi.waitFor(() => expect(scene.live.size).toBe(0), PATIENCE);
    expect(scene.received.size).toBe(0);
    const rejected = scene.lines.filter(({ msg }) => msg === 'SRT caller rejected');
    expect(rejected).toMatchObject([
      {
        stream: 'cam',
        reason: 'handshake-failed',
        detail: 'the handshake failed: most likely the passphrase of the caller is wrong or missing',
      },
    ]);
    expect(JSON.stringify(scene.lines)).not.toContain(PASSPHRASE);
  });

  test('still asks for the key', async () => {
    await scene.start({ settingsOf: settingsOf({ cam: { passphrase: PASSPHRASE } }) });
    expect(await scene.publish(`publish:cam:wrong&passphrase=${PASSPHRASE}`)).not.toBe(0);
    expect(scene.received.size).toBe(0);
  });

  test('closes a connection whose key is shorter than it asks for', async () => {
    await scene.start({ settingsOf: settingsOf({ cam: { passphrase: PASSPHRASE, keyLength: 32 } }) });
    await scene.publish(`publish:cam:${KEY}&passphrase=${PASSPHRASE}&pbkeylen=16`);
    expect(scene.received.size).toBe(0);
    expect(scene.live.size).toBe(0);
    expect(scene.lines.find(({ msg }) => msg === 'SRT connection closed')).toMatchObject({
      detail: 'the caller encrypts with AES-128, the stream asks for AES-256 (pbkeylen=32)',
    });
  });

  test('leaves others as they are: two streams with two passphrases, and one in the clear', async () => {
    await scene.start({
      settingsOf: settingsOf({ one: { passphrase: PASSPHRASE }, two: { passphrase: 'another passphrase' } }),
    });
    const exits = await Promise.all([
      scene.publish(`publish:one:${KEY}&passphrase=${PASSPHRASE}`),
      scene.publish(`publish:two:${KEY}&passphrase=another passphrase&pbkeylen=32`),
      scene.publish(`publish:three:${KEY}`),
    ]);
    expect(exits).toEqual([0, 0, 0]);
    for (const name of ['one', 'two', 'three']) {
      await vi.waitFor(() => expect(scene.received.get(name)?.end).toBeDefined(), PATIENCE);
      expect(await scene.decode(name)).toEqual({ errors: '', frames: 50 });
    }
  });
});

test('a stream with a latency of its own has it, others the origin’s', async () => {
  await scene.start({ settingsOf: settingsOf({ far: { latencyMs: 900 } }) });
  scene.encode(`publish:far:${KEY}`, ['-stream_loop', '-1']);
  scene.encode(`publish:near:${KEY}`, ['-stream_loop', '-1']);
  await vi.waitFor(() => expect(scene.server.statistics()).toHaveLength(2), PATIENCE);
  const latencies = scene.server.statistics().map(({ stream, latencyMs }) => [stream, latencyMs] as const);
  expect(Object.fromEntries(latencies)).toEqual({ far: 900, near: 120 });
});

test('the role that a stream id names reaches the gate', async () => {
  await scene.start();
  scene.encode(`#!::r=live/cam,m=publish,key=${KEY},role=backup`);
  scene.encode(`#!::r=live/cam2,m=publish,key=${KEY}`);
  await vi.waitFor(() => expect(scene.requests).toHaveLength(2), PATIENCE);
  const roles = scene.requests.map(({ stream, role }) => [stream, role] as const);
  expect(Object.fromEntries(roles)).toEqual({ cam: 'backup', cam2: undefined });
});
