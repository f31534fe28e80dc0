/** Decodes media with ffmpeg and reads the wall-clock stamp of every picture. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readStamp } from './wall-clock-stamp.ts';

/** The stamp's blocks, one pixel each: columns and rows. */
const WIDTH = 20;
const HEIGHT = 2;

/** Decodes an init segment and the media after it; returns a stamp (Unix ms) or `undefined` per picture, and ffmpeg's complaints. */
export async function decodeStamps(
  media: Uint8Array,
  now: number,
): Promise<{ readonly stamps: readonly (number | undefined)[]; readonly errors: string }> {
  const blocks = `crop=iw:iw*${HEIGHT}/${WIDTH}:0:0,scale=${WIDTH}:${HEIGHT}:flags=area,format=gray`;
  const { output, errors } = await runFfmpeg(media, [
    ...['-map', '0:v:0', '-fps_mode', 'passthrough', '-vf', blocks, '-f', 'rawvideo', 'pipe:1'],
  ]);
  const size = WIDTH * HEIGHT;
  const stamps = Array.from({ length: Math.floor(output.length / size) }, (_, index) =>
    readStamp(
      {
        data: output.subarray(index * size, (index + 1) * size),
        width: WIDTH,
        height: HEIGHT,
        stride: WIDTH,
      },
      now,
    ),
  );
  return { stamps, errors };
}

/** Decodes media completely; returns what ffmpeg complained of, empty when nothing. */
export async function decodeComplaints(media: Uint8Array): Promise<string> {
  return (await runFfmpeg(media, ['-f', 'null', '-'])).errors;
}

/** Decodes media through filters on its own clock; returns what they printed to standard output. */
export async function decodeReport(media: Uint8Array, filters: readonly string[]): Promise<string> {
  const { output } = await runFfmpeg(media, [...filters, '-f', 'null', '-']);
  return output.toString();
}

async function runFfmpeg(
  media: Uint8Array,
  outputArguments: readonly string[],
): Promise<{ readonly output: Buffer; readonly errors: string }> {
  const input = ['-hide_banner', '-loglevel', 'error', '-copyts', '-f', 'mp4', '-i', 'pipe:0'];
  const child = spawn('ffmpeg', [...input, ...outputArguments], { stdio: ['pipe', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(media);
  await once(child, 'close');
  return { output: Buffer.concat(output), errors };
}
