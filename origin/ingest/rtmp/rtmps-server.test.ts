import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { audioFrame, audioHeader, videoFrame, videoHeader } from '../flv/test-tags.ts';
import type { RtmpLimits } from './limits.ts';
import type { RtmpServer } from './listen.ts';
import { startRtmpsServer } from './rtmps-server.ts';
import { TEST_KEY, TestGate } from './test-gate.ts';
import { TestPublisher } from './test-publisher.ts';

const run = promisify(execFile);
const QUERY = `?key=${encodeURIComponent(TEST_KEY)}`;
const RELOAD_MS = 20;
const servers: RtmpServer[] = [];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rtmps-'));
  await Promise.all(['first', 'second'].map((name) => makeCertificate(name)));
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

afterAll(() => rm(folder, { recursive: true }));

function file(name: string): string {
  return join(folder, name);
}

async function makeCertificate(name: string): Promise<void> {
  const subject = ['-subj', `/CN=${name}.example`, '-days', '2', '-nodes'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)];
  await run('openssl', ['req', '-x509', ...key, ...subject, ...out]);
}

async function use(name: string): Promise<void> {
  await copyFile(file(`${name}.key`), file('live.key'));
  await copyFile(file(`${name}.pem`), file('live.pem'));
}

async function start(limits: Partial<RtmpLimits> = {}) {
  await use('first');
  const gate = new TestGate();
  const sink = new PassThrough();
  let text = '';
  sink.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  const server = await startRtmpsServer({
    ...{ host: '127.0.0.1', port: 0, gate, limits, reloadMs: RELOAD_MS },
    log: pino({ level: 'debug' }, sink),
    files: { certificate: file('live.pem'), key: file('live.key') },
  });
  servers.push(server);
  return { server, gate, log: () => text };
}

async function openTls(port: number): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  return socket;
}

function until(condition: () => unknown): Promise<unknown> {
  return vi.waitUntil(condition, { timeout: 10_000, interval: 5 });
}

test('an encoder publishes over TLS as over TCP', async () => {
  const { server, gate } = await start();
  const encoder = new TestPublisher(await openTls(server.port));
  encoder.publish(`demo${QUERY}`);
  encoder.tags(videoHeader(), audioHeader(), videoFrame(0, true), audioFrame(1));
  await until(() => gate.feedsOf('demo')[0]?.events.length === 3);
  expect(gate.requests[0]).toMatchObject({ stream: 'demo', remoteAddress: '127.0.0.1' });
  encoder.command('deleteStream', 7, null, 1);
  encoder.socket.end();
  await until(() => gate.endOf('demo'));
  expect(gate.endOf('demo')).toEqual({ reason: 'unpublished' });
});

test('ffmpeg publishes to rtmps://', async () => {
  const { server, gate } = await start();
  const url = `rtmps://127.0.0.1:${server.port}/live/demo${QUERY}`;
  const source =
    '-v error -f lavfi -i testsrc2=size=160x90:rate=30 -t 1 -c:v libx264 -preset ultrafast -f flv';
  await run('ffmpeg', [...source.split(' '), url]);
  await until(() => gate.endOf('demo'));
  expect(gate.endOf('demo')).toEqual({ reason: 'unpublished' });
  expect(gate.feedsOf('demo')[0]?.events.filter(({ kind }) => kind === 'media').length).toBeGreaterThan(25);
});

test('a renewed certificate is shown to the next encoder, and the one that publishes goes on', async () => {
  const { server, gate, log } = await start();
  const encoder = new TestPublisher(await openTls(server.port));
  encoder.publish(`demo${QUERY}`);
  encoder.tags(videoHeader(), audioHeader(), videoFrame(0, true));
  await until(() => gate.feedsOf('demo')[0]?.events.length === 2);
  await use('second');
  await until(() => log().includes('certificate was renewed'));
  const next = await openTls(server.port);
  expect(next.getPeerCertificate().subject.CN).toBe('second.example');
  next.destroy();
  encoder.tags(videoFrame(33, true));
  await until(() => gate.feedsOf('demo')[0]?.events.length === 3);
});

test('an unusable certificate keeps the one before, with one warning; at the start it is an error', async () => {
  const { server, log } = await start();
  await writeFile(file('live.key'), 'nothing');
  await until(() => log().includes('the RTMPS certificate is kept as it was'));
  const next = await openTls(server.port);
  expect(next.getPeerCertificate().subject.CN).toBe('first.example');
  next.destroy();
  const options = { host: '127.0.0.1', port: 0, gate: new TestGate(), log: pino({ level: 'silent' }) };
  const mixed = { certificate: file('first.pem'), key: file('second.key') };
  await expect(startRtmpsServer({ ...options, files: mixed })).rejects.toThrow('the key that belongs to it');
  const absent = { certificate: file('no.pem'), key: file('first.key') };
  await expect(startRtmpsServer({ ...options, files: absent })).rejects.toThrow(
    'no.pem cannot be read (ENOENT)',
  );
});

test('plain RTMP, a silent connection and too many of them are ended and named', async () => {
  const { server, log } = await start({ handshakeMs: 200, connectionsPerAddress: 2 });
  const plain = connectTcp({ host: '127.0.0.1', port: server.port });
  plain.on('error', () => plain.destroy());
  plain.write(Buffer.concat([Buffer.of(3), Buffer.alloc(1536)]));
  await until(() => log().includes('this port takes rtmps://'));
  const silent = [1, 2, 3].map(() => {
    const socket = connectTcp({ host: '127.0.0.1', port: server.port });
    socket.on('error', () => socket.destroy());
    return socket;
  });
  await until(() => log().includes('too many connections') && log().includes('did not come in time'));
  for (const socket of [plain, ...silent]) {
    socket.destroy();
  }
});
