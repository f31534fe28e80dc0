import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RtmpServer } from './listen.ts';
import { startRtmpServer } from './rtmp-server.ts';
import { TEST_KEY, TestGate } from './test-gate.ts';

const VIDEO = ['-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=30'];
const AUDIO = ['-f', 'lavfi', '-i', 'sine=frequency=440'];
const ENCODE_VIDEO = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '15', '-pix_fmt', 'yuv420p'];
const ENCODE = [...ENCODE_VIDEO, '-c:a', 'aac'];

const gate = new TestGate();
let server: RtmpServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rtmp-ffmpeg-'));
  server = await startRtmpServer({ host: '127.0.0.1', port: 0, gate, log: pino({ level: 'silent' }) });
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

async function run(
  program: string,
  args: readonly string[],
): Promise<{ readonly code: unknown; readonly text: string }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const add = (bytes: Buffer): void => {
    text += bytes.toString();
  };
  child.stdout.on('data', add);
  child.stderr.on('data', add);
  const [code] = await once(child, 'close');
  return { code, text };
}

function publish(
  name: string,
  args: readonly string[],
  key = TEST_KEY,
): Promise<{ readonly code: unknown; readonly text: string }> {
  const url = `rtmp://127.0.0.1:${server.port}/live/${name}?key=${encodeURIComponent(key)}`;
  return run('ffmpeg', ['-v', 'error', '-re', ...args, '-t', '1', '-f', 'flv', url]);
}

/** Counts the frames that ffprobe decodes from a feed's bytes; any complaint is in the text. */
async function decode(stream: string): Promise<string> {
  const events = gate.feedsOf(stream)[0]?.events ?? [];
  const parts = events.flatMap((event) => {
    switch (event.kind) {
      case 'source':
        return [event.preamble];
      case 'media':
        return [event.bytes];
      case 'end':
        return [];
    }
  });
  const file = join(folder, `${stream}.flv`);
  await writeFile(file, Buffer.concat(parts));
  const entries = ['-count_frames', '-show_entries', 'stream=codec_name,nb_read_frames', '-of', 'csv=p=0'];
  return (await run('ffprobe', ['-v', 'error', ...entries, file])).text;
}

test('what ffmpeg publishes, two streams at once, decodes from preamble and media without an error', async () => {
  await Promise.all([
    publish('both', [...VIDEO, ...AUDIO, ...ENCODE]),
    publish('video', [...VIDEO, ...ENCODE_VIDEO]),
  ]);
  expect(gate.endOf('both')).toEqual({ reason: 'unpublished' });
  expect(gate.feedsOf('both')[0]?.events[0]).toMatchObject({
    kind: 'source',
    source: {
      video: { codec: 'h264', width: 320, height: 180, frameRate: 30 },
      audio: { codec: 'aac', sampleRate: 44_100, channels: 1 },
    },
  });
  const keyFrames = gate
    .feedsOf('both')[0]
    ?.events.filter((event) => event.kind === 'media' && event.randomAccess);
  expect(keyFrames?.length).toBe(2);
  expect(await decode('both')).toMatch(/^h264,30\naac,4[45]\n$/);
  expect(await decode('video')).toBe('h264,30\n');
});

test('ffmpeg with a wrong key ends with the reason, as does one with a codec that is not taken', async () => {
  const [wrong, mp3] = await Promise.all([
    publish('wrong', [...AUDIO, '-c:a', 'aac'], 'guess'),
    publish('mp3', [...AUDIO, '-c:a', 'libmp3lame']),
  ]);
  expect(wrong.code).not.toBe(0);
  expect(wrong.text).toContain('the publish key is not that of the stream');
  expect(mp3.text).toContain(
    'MP3 is not supported: send H.264, HEVC, AV1 or VP9 video and AAC or Opus audio',
  );
});
