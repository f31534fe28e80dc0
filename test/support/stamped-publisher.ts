/** A real encoder whose every picture carries the wall clock of the instant it was handed to ffmpeg. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeStamp } from './wall-clock-stamp.ts';

/** What is published, and where to. */
export interface StampedPublisherOptions {
  /** `rtmp://…` or `srt://…`. */
  readonly url: string;
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  /** Video bits a second. */
  readonly bitrate?: number;
  readonly audio?: boolean;
  /** Key frame interval, seconds. */
  readonly gopSeconds?: number;
}

/** A running encoder. */
export interface StampedPublisher {
  /** `Date.now()` when the process was started. */
  readonly startedAt: number;
  readonly process: ChildProcess;
  /** Last lines that ffmpeg wrote to stderr. */
  errors(): string;
  stop(): Promise<void>;
}

const MAX_ERROR_CHARACTERS = 8_000;

/** Starts ffmpeg and paces stamped pictures into it at real time. */
export function startStampedPublisher(options: StampedPublisherOptions): StampedPublisher {
  const { width = 640, height = 360, frameRate = 30 } = options;
  const startedAt = Date.now();
  const child = spawn('ffmpeg', publisherArguments(options), { stdio: ['pipe', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-MAX_ERROR_CHARACTERS);
  });
  child.stdin.on('error', () => undefined);
  const stopping = new AbortController();
  const pacing = pacePictures({ child, width, height, frameRate, signal: stopping.signal });
  return {
    startedAt,
    process: child,
    errors: () => errors,
    stop: async () => {
      stopping.abort();
      await pacing;
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGINT');
        await once(child, 'exit');
      }
    },
  };
}

function publisherArguments(options: StampedPublisherOptions): readonly string[] {
  const {
    width = 640,
    height = 360,
    frameRate = 30,
    bitrate = 1_500_000,
    audio = true,
    gopSeconds = 2,
  } = options;
  const gop = String(Math.round(gopSeconds * frameRate));
  return [
    ...['-hide_banner', '-loglevel', 'warning', '-fflags', 'nobuffer', '-probesize', '32'],
    ...[
      '-f',
      'rawvideo',
      '-pix_fmt',
      'yuv420p',
      '-s',
      `${width}x${height}`,
      '-r',
      String(frameRate),
      '-i',
      'pipe:0',
    ],
    // A source filter rather than a second input: ffmpeg would make one input wait for the other.
    ...(audio ? ['-filter_complex', 'sine=frequency=440:sample_rate=48000[tone]'] : []),
    ...[
      '-map',
      '0:v',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-tune',
      'zerolatency',
      '-pix_fmt',
      'yuv420p',
    ],
    ...['-g', gop, '-keyint_min', gop, '-sc_threshold', '0'],
    ...['-b:v', String(bitrate), '-maxrate', String(bitrate), '-bufsize', String(bitrate)],
    ...(audio ? ['-map', '[tone]', '-c:a', 'aac', '-b:a', '128k', '-ac', '2'] : []),
    ...['-flush_packets', '1', '-max_interleave_delta', '1'],
    ...['-f', options.url.startsWith('srt:') ? 'mpegts' : 'flv', options.url],
  ];
}

async function pacePictures(input: {
  readonly child: ChildProcess;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { child, width, height, frameRate, signal } = input;
  const lumaBytes = width * height;
  const startedAt = performance.now();
  for (let frame = 0; !signal.aborted && child.exitCode === null && child.signalCode === null; frame += 1) {
    const wait = startedAt + (frame * 1000) / frameRate - performance.now();
    if (wait > 0) {
      await sleep(wait);
    }
    const picture = new Uint8Array((lumaBytes * 3) / 2).fill(128);
    drawMovingBars(picture.subarray(0, lumaBytes), width, frame);
    writeStamp({ data: picture, width, height, stride: width }, Date.now());
    await new Promise((resolve) => {
      child.stdin?.write(picture, resolve);
    });
  }
}

function drawMovingBars(luma: Uint8Array, width: number, frame: number): void {
  const line = new Uint8Array(width);
  for (let x = 0; x < width; x += 1) {
    line[x] = 40 + (((x + frame * 4) >> 4) % 12) * 15;
  }
  for (let at = 0; at < luma.length; at += width) {
    luma.set(line, at);
  }
}
