/** Decodes media with ffmpeg and reads the wall-clock stamp of every picture. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readStamp } from './wall-clock-stamp.ts';

const WIDTH = 640;
const HEIGHT = 360;

/** Decodes an init segment and the media after it; returns a stamp (Unix ms) or `undefined` per picture, and ffmpeg's complaints. */
export async function decodeStamps(
  media: Uint8Array,
  now: number,
): Promise<{ readonly stamps: readonly (number | undefined)[]; readonly errors: string }> {
  const child = spawn(
    'ffmpeg',
    [
      ...['-hide_banner', '-loglevel', 'error', '-f', 'mp4', '-i', 'pipe:0', '-map', '0:v:0'],
      ...[
        '-fps_mode',
        'passthrough',
        '-vf',
        `scale=${WIDTH}:${HEIGHT},format=gray`,
        '-f',
        'rawvideo',
        'pipe:1',
      ],
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const pictures: Buffer[] = [];
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => pictures.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(media);
  await once(child, 'close');
  const all = Buffer.concat(pictures);
  const size = WIDTH * HEIGHT;
  const stamps = Array.from({ length: Math.floor(all.length / size) }, (_, index) =>
    readStamp(
      { data: all.subarray(index * size, (index + 1) * size), width: WIDTH, height: HEIGHT, stride: WIDTH },
      now,
    ),
  );
  return { stamps, errors };
}
