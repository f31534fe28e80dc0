import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchPlaylist, fetchVariants, until } from '../support/live-client.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { startStampedPublisher, type StampedPublisher } from '../support/stamped-publisher.ts';
import { COPY_LADDER } from '../support/ladders.ts';

const run = promisify(execFile);
const CLOSE_LIMIT_MS = 30_000;

let rill: RillInstance;
let bystander: StampedPublisher;
let bystanderUrl: string;

beforeAll(async () => {
  rill = await startRill({ partTarget: 0.5, ladder: COPY_LADDER });
  bystander = startStampedPublisher({ url: await rill.rill('publish-url', 'bystander', '--rtmp') });
  bystanderUrl = await rill.rill('play-url', 'bystander');
  await until('the bystander to be live', async () => (await fetchVariants(bystanderUrl)).variants[0]);
});

afterAll(async () => {
  await bystander?.stop();
  await rill?.stop();
});

/** The stream that nobody may disturb: its next two parts arrive. */
async function expectBystanderUndisturbed(): Promise<void> {
  const [variant] = (await fetchVariants(bystanderUrl)).variants;
  const now = await fetchPlaylist(variant ?? '');
  const next = await fetchPlaylist(variant ?? '', now.next);
  await fetchPlaylist(variant ?? '', next.next);
}

/** Publishes a second of picture and resolves with ffmpeg's complaint; fails when it is let in. */
async function publishRefused(url: string): Promise<string> {
  const format = url.startsWith('srt:') ? 'mpegts' : 'flv';
  const source = ['-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30', '-t', '5'];
  const encoder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-f', format, url];
  const outcome = await run('ffmpeg', ['-v', 'error', ...source, ...encoder]).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  if (outcome === undefined) {
    throw new Error('it was let in');
  }
  return outcome;
}

describe('publishing over RTMP', () => {
  const url = (name: string): string => `rtmp://127.0.0.1:${rill.ports.rtmp}/live/${name}`;

  test.each([
    ['a wrong key', 'intruder?key=AAAAAAAAAAAAAAAAAAAAAAAA'],
    ['no key', 'intruder'],
    ['an empty key', 'intruder?key='],
  ])('is refused with %s', async (_, name) => {
    await publishRefused(url(name));
    expect((await rill.rill('streams')).includes('intruder')).toBe(false);
    await expectBystanderUndisturbed();
  });

  test.each([['..'], ['a/b'], ['x'.repeat(300)], ['ströme'], ['UPPER']])(
    'is refused for the stream name %s',
    async (name) => {
      await publishRefused(url(`${name}?key=AAAAAAAAAAAAAAAAAAAAAAAA`));
      await expectBystanderUndisturbed();
    },
  );

  test('is refused while another encoder is live on the stream', async () => {
    await publishRefused(await rill.rill('publish-url', 'bystander', '--rtmp'));
    await expectBystanderUndisturbed();
  });
});

describe('publishing over SRT', () => {
  // As it stands: ffmpeg does not decode it.
  const url = (streamId: string): string =>
    `srt://127.0.0.1:${rill.ports.srt}?streamid=${streamId}&connect_timeout=3000`;

  test.each([
    ['a wrong key', '#!::r=live/intruder,m=publish,key=AAAAAAAAAAAAAAAAAAAAAAAA'],
    ['no key', '#!::r=live/intruder,m=publish'],
    ['an empty key', 'publish:intruder:'],
    ['an unknown mode', '#!::r=live/intruder,m=dance,key=AAAAAAAAAAAAAAAAAAAAAAAA'],
    ['a broken stream id', '#!::r==,,m'],
    ['no stream id at all', ''],
    ['a stream name that climbs', 'publish:../etc:AAAAAAAAAAAAAAAAAAAAAAAA'],
  ])('is refused with %s', async (_, streamId) => {
    await publishRefused(url(streamId));
    await expectBystanderUndisturbed();
  });
});

describe('the RTMP port', () => {
  const TLS_HELLO = Buffer.from('16030100c4010000c00303', 'hex');
  const HANDSHAKE = Buffer.concat([Buffer.from([3]), Buffer.alloc(1536)]);
  const CHUNK_OF_16_MB = Buffer.concat([
    HANDSHAKE,
    Buffer.alloc(1536),
    Buffer.from([0x03, 0, 0, 0, 0xff, 0xff, 0xff, 20, 0, 0, 0, 0]),
  ]);

  test.each([
    ['random bytes', Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 151 + 77) & 0xff))],
    ['a TLS hello', Buffer.concat([TLS_HELLO, Buffer.alloc(1600, 7)])],
    ['an HTTP request', Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\n\r\n${' '.repeat(1600)}`)],
    ['a chunk that announces 16 MB', CHUNK_OF_16_MB],
  ])('closes the connection on %s', async (_, bytes) => {
    const socket = connect(rill.ports.rtmp, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'connect');
    socket.write(bytes);
    await Promise.race([
      once(socket, 'close'),
      new Promise((_resolve, reject) =>
        setTimeout(() => reject(new Error('still open')), CLOSE_LIMIT_MS).unref(),
      ),
    ]);
    await expectBystanderUndisturbed();
  });

  test('ends the stream of a publisher that falls silent without closing', async () => {
    const silent = startStampedPublisher({ url: await rill.rill('publish-url', 'silent', '--rtmp') });
    try {
      await until('the stream to be live', async () =>
        (await rill.rill('streams')).includes('silent') ? true : undefined,
      );
      silent.process.kill('SIGSTOP');
      await until('the publisher to be given up', async () =>
        rill.output().includes('stalled') ? true : undefined,
      );
      await expectBystanderUndisturbed();
    } finally {
      silent.process.kill('SIGCONT');
      await silent.stop();
    }
  });
});

describe('playing', () => {
  const status = async (path: string): Promise<number> => (await fetch(`${rill.edgeUrl}${path}`)).status;
  const secret = async (): Promise<Uint8Array> => {
    const secrets: unknown = JSON.parse(await readFile(join(rill.dataDir, 'secrets.json'), 'utf8'));
    if (typeof secrets !== 'object' || secrets === null || !('playSecret' in secrets)) {
      throw new Error('no playSecret');
    }
    return new TextEncoder().encode(String(secrets.playSecret));
  };
  const sign = async (claims: object, key?: Uint8Array): Promise<string> =>
    new SignJWT({ stream: 'bystander', ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(key ?? (await secret()));
  /** Tests before this one take their time. */
  const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

  test('works with the token of the command line and with one of our own making', async () => {
    const token = await rill.rill('token', '--stream', 'bystander', '--ttl', '1m');
    expect(await status(`/t/${token}/live/bystander/index.m3u8`)).toBe(200);
    expect(await status(`/live/bystander/index.m3u8?token=${await sign({ exp: inSeconds(60) })}`)).toBe(200);
  });

  test.each<[string, () => Promise<string>]>([
    ['no token', async () => ''],
    ['garbage for a token', async () => 'x.y.z'],
    ['an expired token', () => sign({ exp: inSeconds(-60) })],
    ['a token that is not valid yet', () => sign({ exp: inSeconds(600), nbf: inSeconds(300) })],
    ['a token without expiry', () => sign({})],
    ['a token of another key', () => sign({ exp: inSeconds(60) }, new Uint8Array(32).fill(7))],
    [
      'a token with "alg": "none"',
      async () => new UnsecuredJWT({ stream: 'bystander', exp: inSeconds(60) }).encode(),
    ],
  ])('is answered 401 with %s', async (_, token) => {
    expect(await status(`/live/bystander/index.m3u8?token=${await token()}`)).toBe(401);
    expect(await status(`/live/bystander/source/index.m3u8?token=${await token()}`)).toBe(401);
  });

  test('is answered 403 with a token for another stream', async () => {
    const token = await sign({ stream: 'other', exp: inSeconds(60) });
    expect(await status(`/t/${token}/live/bystander/index.m3u8`)).toBe(403);
  });

  test('is answered 404 for an unknown stream, an unknown rendition and an unknown file', async () => {
    const other = await sign({ stream: 'nobody', exp: inSeconds(60) });
    const token = await sign({ exp: inSeconds(60) });
    expect(await status(`/t/${other}/live/nobody/index.m3u8`)).toBe(404);
    expect(await status(`/t/${token}/live/bystander/8k/index.m3u8`)).toBe(404);
    expect(await status(`/t/${token}/live/bystander/source/1-1.0.m4s`)).toBe(404);
  });

  test('is refused without a fault for paths that climb or shout', async () => {
    const token = await sign({ exp: inSeconds(60) });
    for (const path of ['%2e%2e%2fsecrets', 'a%2fb', 'x'.repeat(300), 'str%C3%B6me', '%00']) {
      const answer = await status(`/t/${token}/live/${path}/index.m3u8`);
      expect(answer).toBeGreaterThanOrEqual(400);
      expect(answer).toBeLessThan(500);
    }
  });
});

describe('an origin that cannot work', () => {
  const secret = 'not-a-secret-but-long-enough';
  const environment = {
    PATH: process.env['PATH'],
    RILL_EDGE_URL: 'http://127.0.0.1:1',
    RILL_SERVICE_TOKEN: secret,
    RILL_CONTROL_TOKEN: secret,
    RILL_PUBLISH_SECRET: secret,
    RILL_S3_ENDPOINT: 'http://127.0.0.1:1',
    RILL_S3_BUCKET: 'bucket',
    RILL_S3_ACCESS_KEY_ID: 'id',
    RILL_S3_SECRET_ACCESS_KEY: secret,
    RILL_DATA_DIR: '/nonexistent',
    RILL_RTMP_PORT: '0',
    RILL_SRT_PORT: '0',
    RILL_CONTROL_PORT: '0',
  };
  const startOrigin = (changed: object): Promise<{ code: unknown; output: string }> =>
    new Promise((resolve) => {
      const env = { ...environment, ...changed };
      execFile(process.execPath, ['origin/main.ts'], { env }, (error, stdout, stderr) =>
        resolve({ code: error?.code, output: stdout + stderr }),
      );
    });

  test('says that ffmpeg is missing and how to install it', async () => {
    const { code, output } = await startOrigin({ RILL_FFMPEG: '/nonexistent/ffmpeg' });
    expect(code).toBe(1);
    expect(output).toContain('/nonexistent/ffmpeg');
    expect(output).toMatch(/apt-get install ffmpeg.*dnf install ffmpeg.*brew install ffmpeg/);
    expect(output).not.toContain(secret);
  });

  test('says everything that is wrong with its settings at once', async () => {
    const { code, output } = await startOrigin({ RILL_EDGE_URL: 'nowhere', RILL_S3_BUCKET: '' });
    expect(code).toBe(1);
    expect(output).toMatch(/RILL_EDGE_URL/);
    expect(output).toMatch(/RILL_S3_BUCKET/);
    expect(output).not.toContain(secret);
  });
});
