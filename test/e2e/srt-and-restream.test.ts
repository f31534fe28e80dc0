import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { fetchPlaylist, fetchVariants, until } from '../support/live-client.ts';
import { COPY_LADDER } from '../support/ladders.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { freeTcpPort, freeUdpPort, HOST, PATIENCE, SrtScene } from '../support/srt-scene.ts';

const PASSPHRASE = 'correct horse battery staple';
const TARGET_KEY = 'sTr3am-k3y';

let scene: SrtScene;
let rill: RillInstance;
let ports: { readonly encoder: number; readonly rtmp: number; readonly srt: number };

beforeAll(async () => {
  scene = await SrtScene.open();
  ports = { encoder: await freeUdpPort(), rtmp: await freeTcpPort(), srt: await freeUdpPort() };
  await writeFile(scene.file('passphrase'), `${PASSPHRASE}\n`);
  const passphrase = { file: scene.file('passphrase') };
  const urls = [`rtmp://${HOST}:${ports.rtmp}/live2/${TARGET_KEY}`, `srt://${HOST}:${ports.srt}`];
  rill = await startRill({
    ladder: COPY_LADDER,
    streams: {
      secret: { srt: { passphrase, latency: 300 } },
      fetched: { srt: { passphrase, keyLength: 32, pull: `srt://${HOST}:${ports.encoder}` } },
      pushed: { restream: urls.map((url) => ({ url })) },
    },
  });
});

afterAll(async () => {
  await scene.reset();
  await rill?.stop();
  await scene.remove();
});

test('an encrypted SRT stream plays, its link is in the status, and without the passphrase nobody gets in', async () => {
  const address = await rill.rill('publish-url', 'secret', '--srt');
  const intruder = scene.send(address);
  await once(intruder, 'exit');
  expect(intruder.exitCode).not.toBe(0);
  scene.send(`${address}&passphrase=${PASSPHRASE}&pbkeylen=24`, ['-stream_loop', '-1']);
  await plays('secret');
  expect(await statusOf('secret')).toMatchObject({
    protocol: 'srt',
    srt: { mode: 'listener', encryption: 'aes-192', latencyMs: 300, packetsUndecrypted: 0 },
    restream: [],
  });
});

test('a stream that is fetched from an encoder plays, and again when the encoder comes back', async () => {
  const listen = `srt://${HOST}:${ports.encoder}?mode=listener&passphrase=${PASSPHRASE}`;
  const encoder = scene.send(listen, ['-stream_loop', '-1']);
  await plays('fetched');
  expect(await statusOf('fetched')).toMatchObject({ srt: { mode: 'caller', encryption: 'aes-256' } });
  await scene.stop(encoder);
  await vi.waitFor(async () => expect((await pulls())[0]).not.toMatchObject({ state: 'live' }), PATIENCE);
  scene.send(listen, ['-stream_loop', '-1']);
  await vi.waitFor(
    async () => expect(await pulls()).toMatchObject([{ stream: 'fetched', state: 'live' }]),
    PATIENCE,
  );
});

test('an RTMP stream is pushed on to RTMP and SRT while it plays, and nothing shows the key of a target', async () => {
  const rtmp = ['-listen', '1', '-f', 'flv', '-i', `rtmp://${HOST}:${ports.rtmp}/live2/${TARGET_KEY}`];
  scene.receive('pushed.flv', rtmp);
  scene.receive('pushed.m2ts', ['-f', 'mpegts', '-i', `srt://${HOST}:${ports.srt}?mode=listener`]);
  const address = await rill.rill('publish-url', 'pushed', '--rtmp');
  const flv = ['-i', scene.source, '-c', 'copy', '-f', 'flv'];
  const encoder = scene.send(address, ['-stream_loop', '-1'], flv);
  await plays('pushed');
  await vi.waitFor(
    async () =>
      expect(await statusOf('pushed')).toMatchObject({ restream: [{ state: 'live' }, { state: 'live' }] }),
    PATIENCE,
  );
  const shown = JSON.stringify(await statusOf('pushed')) + rill.output();
  expect(shown).not.toContain(TARGET_KEY);
  expect(shown).not.toContain(PASSPHRASE);
  const ended = Promise.all(scene.receivers.map((receiver) => once(receiver, 'exit')));
  encoder.kill('SIGINT');
  await ended;
  for (const file of ['pushed.flv', 'pushed.m2ts']) {
    const { errors, frames } = await scene.countFrames(scene.file(file));
    expect(errors).toBe('');
    expect(frames).toBeGreaterThan(25);
  }
});

/** Waits until a stream has parts at the edge. */
async function plays(stream: string): Promise<void> {
  const playUrl = await rill.rill('play-url', stream);
  await until(`parts of ${stream}`, async () => {
    const [url] = (await fetchVariants(playUrl)).variants;
    const playlist = url === undefined ? undefined : await fetchPlaylist(url);
    return (playlist?.parts.length ?? 0) > 1 ? playlist : undefined;
  });
}

async function statusOf(stream: string): Promise<unknown> {
  const { streams } = await control();
  return Array.isArray(streams)
    ? streams.find((one: { readonly stream?: string }) => one.stream === stream)
    : undefined;
}

async function pulls(): Promise<readonly unknown[]> {
  const list = (await control())['pulls'];
  return Array.isArray(list) ? list : [];
}

async function control(): Promise<Readonly<Record<string, unknown>>> {
  const secrets: unknown = JSON.parse(await readFile(join(rill.dataDir, 'secrets.json'), 'utf8'));
  const { controlToken } = secrets as { readonly controlToken: string };
  const response = await fetch(`http://${HOST}:${rill.ports.control}/v1/streams`, {
    headers: { authorization: `Bearer ${controlToken}` },
  });
  return (await response.json()) as Readonly<Record<string, unknown>>;
}
