/** Encoders whose pictures were coded beforehand, so that they cost next to nothing while something is measured. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

const CLIP_SECONDS = 4;

/** An encoder at work. */
export interface ClipPublisher {
  /** Why it ended, where it did by itself. */
  errors(): string;
  stop(): Promise<void>;
}

/** Codes some seconds at a constant rate, such as `4M`; filler makes any rate cheap. */
export function makeClip(file: string, rate: string): void {
  execFileSync('ffmpeg', [
    ...[
      '-v',
      'error',
      '-y',
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=1280x720:rate=30',
      '-f',
      'lavfi',
      '-i',
      'sine',
    ],
    ...['-t', String(CLIP_SECONDS), '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'ultrafast'],
    ...['-g', '60', '-keyint_min', '60', '-sc_threshold', '0', '-x264-params', 'nal-hrd=cbr'],
    ...['-b:v', rate, '-minrate', rate, '-maxrate', rate, '-bufsize', rate, '-c:a', 'aac', '-ac', '2', file],
  ]);
}

/** Publishes a clip at real time, again and again. */
export function publishClip(clip: string, url: string): ClipPublisher {
  const input = ['-re', '-stream_loop', '-1', '-i', clip];
  const output = ['-c', 'copy', '-f', url.startsWith('srt:') ? 'mpegts' : 'flv', url];
  const child = spawn('ffmpeg', ['-v', 'error', ...input, ...output], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-1_000)));
  return {
    errors: () => errors,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGINT');
        await once(child, 'exit');
      }
    },
  };
}
