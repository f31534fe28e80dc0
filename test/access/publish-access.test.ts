/** Who may publish, decided by keys, tokens and a webhook, with a real encoder over RTMP and SRT. */

import { spawn, type ChildProcess } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hashPublishKey, makePublishKey } from '../../origin/ingest/access/publish-keys.ts';
import { COPY_LADDER } from '../support/ladders.ts';
import { fetchPlaylist, fetchVariants, until } from '../support/live-client.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';

const WEBHOOK_SECRET = 'webhook-secret-of-the-test';
/** Longer than the encoders of a handshake take, shorter than the origin waits. */
const WEBHOOK_DELAY_MS = 500;
/** What the origin logs when a publisher's media is taken. */
const CONNECTED = '"msg":"publisher connected"';

interface Question {
  readonly stream: string;
  readonly key: string | null;
}

const ownKeys = [makePublishKey(), makePublishKey()];
const encoders: ChildProcess[] = [];
const questions: Question[] = [];
let webhook: Server;
let rill: RillInstance;
let tokenKey: CryptoKey;

beforeAll(async () => {
  const pair = await generateKeyPair('ES256');
  tokenKey = pair.privateKey;
  webhook = createServer((request, response) => void answerQuestion(request, response));
  webhook.listen(0, '127.0.0.1');
  await once(webhook, 'listening');
  const address = webhook.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  process.env['RILL_PUBLISH_WEBHOOK_SECRET'] = WEBHOOK_SECRET;
  rill = await startRill({
    ladder: COPY_LADDER,
    publish: {
      tokenKeys: [{ keyId: 'cms', algorithm: 'ES256', jwk: await exportJWK(pair.publicKey) }],
      webhook: { url: `http://127.0.0.1:${port}/publish`, cacheAllow: 60, cacheDeny: 0 },
    },
    streams: { own: { publishKeys: ownKeys.map(hashPublishKey) } },
  });
});

afterEach(() => {
  for (const encoder of encoders.splice(0)) {
    encoder.kill('SIGKILL');
  }
});

afterAll(async () => {
  await rill?.stop();
  webhook?.close();
  delete process.env['RILL_PUBLISH_WEBHOOK_SECRET'];
});

/** Says yes to who shows `welcome`, when the question is the origin's own. */
async function answerQuestion(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  const signature = String(request.headers['rill-signature']);
  const [, time = '', mac = ''] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(signature) ?? [];
  const isOurs = mac === createHmac('sha256', WEBHOOK_SECRET).update(`${time}.${body}`).digest('hex');
  const question: Question = JSON.parse(body);
  questions.push(question);
  await sleep(WEBHOOK_DELAY_MS);
  response.end(JSON.stringify({ allow: isOurs && question.key === 'welcome' }));
}

function rtmp(stream: string, key: string): string {
  return `rtmp://127.0.0.1:${rill.ports.rtmp}/live/${stream}?key=${key}`;
}

function srt(stream: string, key: string): string {
  return `srt://127.0.0.1:${rill.ports.srt}?streamid=publish:${stream}:${key}&connect_timeout=3000`;
}

/** Starts an encoder, which the test's end kills. */
function publish(url: string): ChildProcess {
  const source = ['-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30', '-t', '20'];
  const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '30', '-pix_fmt', 'yuv420p'];
  const format = ['-f', url.startsWith('srt:') ? 'mpegts' : 'flv', url];
  const encoder = spawn('ffmpeg', ['-v', 'error', ...source, ...codec, ...format], { stdio: 'ignore' });
  encoders.push(encoder);
  return encoder;
}

/** What the origin logged of a stream: one line each. */
function logged(stream: string, message: string): readonly string[] {
  return rill
    .output()
    .split('\n')
    .filter((line) => line.includes(`"stream":"${stream}"`) && line.includes(message));
}

async function expectLive(stream: string): Promise<void> {
  await until(`${stream} to be live`, async () => logged(stream, CONNECTED)[0]);
}

async function expectRefused(stream: string, url: string, detail: string): Promise<void> {
  const before = logged(stream, '"refused"').length;
  const encoder = publish(url);
  await once(encoder, 'exit');
  expect(encoder.exitCode).not.toBe(0);
  await until(`the log to say: ${detail}`, async () =>
    logged(stream, '"refused"')
      .slice(before)
      .find((line) => line.includes(detail)),
  );
  expect(logged(stream, CONNECTED)).toEqual([]);
}

function token(claims: object): Promise<string> {
  return new SignJWT({ scope: 'publish', ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'cms' })
    .setExpirationTime('1m')
    .sign(tokenKey);
}

describe('a stream with keys of its own', () => {
  test('does not take its derived key, and takes each of its own', async () => {
    const derived = new URL(await rill.rill('publish-url', 'own')).searchParams.get('key') ?? '';
    await expectRefused('own', rtmp('own', derived), 'the publish webhook does not allow it');
    publish(rtmp('own', ownKeys[1] ?? ''));
    await expectLive('own');
  });
});

describe('a publish token', () => {
  test('is taken over RTMP and over SRT, and its media is played', async () => {
    publish(rtmp('by-token', await token({ stream: 'by-token' })));
    publish(srt('by-token-2', await token({ stream: 'by-token-*' })));
    await expectLive('by-token');
    await expectLive('by-token-2');
    const url = await rill.rill('play-url', 'by-token-2');
    const variant = await until('the stream to play', async () => (await fetchVariants(url)).variants[0]);
    const now = await fetchPlaylist(variant);
    await fetchPlaylist(variant, now.next);
  });

  test('for playback, or for another stream, is refused, over SRT after the handshake', async () => {
    await expectRefused('wrong', rtmp('wrong', await token({ stream: 'wrong', scope: 'play' })), 'webhook');
    await expectRefused('wrong', srt('wrong', await token({ stream: 'other' })), 'webhook');
  });
});

describe('a publish webhook', () => {
  test('is waited for over RTMP and SRT, and its yes outlives it for those whom it let in', async () => {
    await expectRefused('refused', srt('refused', 'unwelcome'), 'the publish webhook does not allow it');
    publish(rtmp('hooked', 'welcome'));
    publish(srt('hooked-2', 'welcome'));
    await expectLive('hooked');
    await expectLive('hooked-2');
    expect(questions.filter(({ stream }) => stream === 'hooked-2')).toHaveLength(1);
    encoders.at(-1)?.kill('SIGINT');
    await until('the name to be free', async () => logged('hooked-2', 'SRT publisher ended')[0]);
    webhook.close();
    webhook.closeAllConnections();
    await expectRefused('late', rtmp('late', 'welcome'), 'the publish webhook is away');
    await expectRefused('late', srt('late', 'welcome'), 'the publish webhook is away');
    publish(srt('hooked-2', 'welcome'));
    await until('the stream to be back', async () => logged('hooked-2', CONNECTED)[1]);
    expect(rill.output()).not.toContain('welcome');
  });
});
