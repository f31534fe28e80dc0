import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { milliseconds, seconds } from '#shared/media-time.ts';
import { createLog } from '../log.ts';
import type { FeedContainer, SourceProperties } from '../ingest/media-feed.ts';
import { ffmpegArguments } from './arguments.ts';
import { SOFTWARE_ONLY } from './encoder-table.ts';
import { startTranscoder, type Transcoder } from './ffmpeg-process.ts';
import { ladderSchema, type Ladder } from './ladder.ts';
import { planRenditions } from './rendition-plan.ts';
import { readFragments, type Fragment } from './testing/fragments.ts';

const log = createLog({ level: 'silent', pretty: false, name: 'test' });
const audio = { name: 'audio', codec: 'aac', bitrate: 64_000 } as const;
const small = { codec: 'h264', height: 90, bitrate: 200_000, preset: 'ultrafast' } as const;
const ENCODED = ladderSchema.parse({
  video: [
    { ...small, name: 'high' },
    { ...small, name: 'low', height: 48 },
  ],
  audio,
});
const COPIED = ladderSchema.parse({
  video: [
    { name: 'source', codec: 'copy' },
    { ...small, name: 'low', height: 48 },
  ],
  audio: { ...audio, codec: 'copy' },
});

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'transcode-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Three seconds of video with sound that starts 0.5 s later, with B-frames and a key frame each second. */
async function clip(container: FeedContainer, rate: string): Promise<Uint8Array> {
  const picture = ['-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=${rate}:duration=3`];
  const sound = ['-itsoffset', '0.5', '-f', 'lavfi', '-i', 'sine=sample_rate=44100:duration=2.5'];
  const video = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-bf',
    '2',
    '-force_key_frames',
    'expr:gte(t,n_forced)',
  ];
  const output = ['-c:a', 'aac', '-pix_fmt', 'yuv420p', '-f', container, 'pipe:1'];
  const { stdout } = await promisify(execFile)(
    'ffmpeg',
    ['-v', 'error', ...picture, ...sound, ...video, ...output],
    { encoding: 'buffer', maxBuffer: 16 * 1024 * 1024 },
  );
  return new Uint8Array(stdout);
}

function start(container: FeedContainer, ladder: Ladder): Transcoder {
  const source: SourceProperties = {
    video: { codec: 'h264', width: 160, height: 90, frameRate: undefined },
    audio: { codec: 'aac', sampleRate: 44_100, channels: 1 },
  };
  const plan = planRenditions({ source, container, ladder, encoders: SOFTWARE_ONLY });
  if (!plan.ok) {
    throw new Error(plan.failure.detail);
  }
  return startTranscoder({
    ffmpegPath: 'ffmpeg',
    arguments: ffmpegArguments({ container, plan: plan.value, segmentDuration: seconds(2) }),
    tracks: plan.value.renditions.length,
    log,
  });
}

/** What ffmpeg has to say against a file when it decodes all of its tracks. */
async function complaints(file: Uint8Array): Promise<string> {
  const path = join(folder, 'output.mp4');
  await writeFile(path, file);
  const decode = ['-v', 'error', '-i', path, '-map', '0', '-fps_mode', 'passthrough', '-f', 'null', '-'];
  return (await promisify(execFile)('ffmpeg', decode)).stderr;
}

async function transcode(transcoder: Transcoder, input: Uint8Array): Promise<Uint8Array> {
  const written = transcoder.write(input).then(() => transcoder.end());
  const chunks: Uint8Array[] = [];
  for await (const chunk of transcoder.output) {
    chunks.push(chunk);
  }
  await written;
  expect(await transcoder.exited).toMatchObject({ kind: 'finished' });
  return new Uint8Array(Buffer.concat(chunks));
}

function keyFrameTimes(fragments: readonly Fragment[], track: number): readonly number[] {
  return fragments
    .filter((fragment) => fragment.track === track && fragment.sync)
    .map((fragment) => fragment.presentationTime);
}

/** A program in ffmpeg's place; it answers fluent-ffmpeg's questions and then does `body`. */
async function impostor(name: string, body: string): Promise<Transcoder> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\ncase "$1" in -formats|-encoders) exit 0;; esac\n${body}\n`);
  await chmod(path, 0o755);
  return startTranscoder({
    ffmpegPath: path,
    arguments: ['run'],
    tracks: 1,
    log,
    stallLimit: milliseconds(200),
  });
}

/** Writes until the transcoder takes no more. */
async function writeOn(transcoder: Transcoder): Promise<void> {
  while (await transcoder.write(new Uint8Array(64 * 1024))) {
    // Each turn hands over one more chunk.
  }
}

describe.each(['flv', 'mpegts'] as const)('ffmpeg fed with %s', (container) => {
  let input: Uint8Array = new Uint8Array();
  beforeAll(async () => {
    input = await clip(container, '24000/1001');
  });

  it('gives a file that decodes, one exactly timed frame in each moof, encoded rungs with the key frames of the copy', async () => {
    const file = await transcode(start(container, COPIED), input);
    expect(await complaints(file)).toBe('');
    const fragments = readFragments(file);
    expect(new Set(fragments.map((fragment) => fragment.samples))).toEqual(new Set([1]));
    expect(new Set(fragments.map((fragment) => fragment.track))).toEqual(new Set([1, 2, 3]));
    for (const track of [1, 2, 3]) {
      const own = fragments.filter((fragment) => fragment.track === track);
      expect(own.slice(1).map((fragment) => fragment.decodeTime)).toEqual(
        own.slice(0, -1).map((fragment) => fragment.decodeTime + fragment.duration),
      );
    }
    expect(keyFrameTimes(fragments, 1)).toHaveLength(3);
    expect(keyFrameTimes(fragments, 2)).toEqual(keyFrameTimes(fragments, 1));
  });

  it('sets key frames at every segment start alike in all rungs, and keeps sound in its place', async () => {
    const file = await transcode(start(container, ENCODED), input);
    expect(await complaints(file)).toBe('');
    const fragments = readFragments(file);
    const [first = 0, second = 0, ...rest] = keyFrameTimes(fragments, 1);
    expect(rest).toEqual([]);
    expect((second - first) / 90_000).toBeCloseTo(2.002, 2);
    expect(keyFrameTimes(fragments, 2)).toEqual([first, second]);
    const sound = fragments.find((fragment) => fragment.track === 3)?.presentationTime ?? 0;
    // Twice 1,024 samples of AAC priming: the clip's encoder and ours.
    expect((sound + 2 * 1024) / 44_100 - first / 90_000).toBeCloseTo(0.5, 2);
  });
});

describe('startTranscoder', () => {
  it('names the path and the remedy when there is no ffmpeg', async () => {
    const transcoder = startTranscoder({ ffmpegPath: '/nowhere/ffmpeg', arguments: [], tracks: 1, log });
    const exit = await transcoder.exited;
    expect(exit).toMatchObject({ kind: 'spawn-failed' });
    expect(JSON.stringify(exit)).toMatch(/\/nowhere\/ffmpeg.*apt-get.*dnf.*brew/);
    expect(await transcoder.write(new Uint8Array(1))).toBe(false);
    for await (const chunk of transcoder.output) {
      expect.unreachable(`${chunk.length} bytes from nowhere`);
    }
  });

  it('survives SIGKILL while input flows: the writer is told, and so is the signal', async () => {
    const transcoder = await impostor('killed', 'head -c 100000 >/dev/null; kill -9 $$');
    await writeOn(transcoder);
    expect(await transcoder.exited).toMatchObject({ kind: 'failed', code: undefined, signal: 'SIGKILL' });
  });

  it('ends its output when the process dies before it could run', async () => {
    const path = join(folder, 'unable');
    await writeFile(path, 'not a program', { mode: 0o755 });
    const transcoder = startTranscoder({ ffmpegPath: path, arguments: ['run'], tracks: 1, log });
    for await (const chunk of transcoder.output) {
      expect.unreachable(`${chunk.length} bytes from nowhere`);
    }
    expect((await transcoder.exited).kind).not.toBe('finished');
  });

  it('tells the exit code and the last lines of standard error', async () => {
    const transcoder = await impostor('broken', 'echo "no such codec" >&2; exit 3');
    expect(await transcoder.exited).toEqual({
      kind: 'failed',
      code: 3,
      signal: undefined,
      stderrTail: ['no such codec'],
    });
  });

  it('holds the writer back while ffmpeg does not read, and lets go when it is killed', async () => {
    const transcoder = await impostor('deaf', 'exec sleep 60');
    let held = true;
    const writing = writeOn(transcoder).then(() => (held = false));
    await new Promise((resolve) => setImmediate(resolve));
    expect(held).toBe(true);
    transcoder.kill();
    await writing;
    expect(await transcoder.exited).toMatchObject({ kind: 'failed', signal: 'SIGTERM' });
  });

  it('ends a process that takes input and gives no output', async () => {
    const transcoder = await impostor('mute', 'exec sleep 60');
    await writeOn(transcoder);
    expect(await transcoder.exited).toMatchObject({ kind: 'stalled' });
  });

  it('kills ffmpeg when the reader leaves', async () => {
    const transcoder = start('flv', ENCODED);
    void transcoder.write(await clip('flv', '25'));
    for await (const chunk of transcoder.output) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect((await transcoder.exited).kind).not.toBe('stalled');
  });
});
