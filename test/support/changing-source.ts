/** Encoders that change their video in mid-stream, on one connection: real media, sent as it is. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { FLV_AUDIO, FLV_VIDEO } from '../../origin/ingest/flv/flv-tag.ts';
import type { MediaTag } from '../../origin/ingest/flv/source-assembler.ts';
import { TestPublisher } from '../../origin/ingest/rtmp/test-publisher.ts';

const run = promisify(execFile);
/** How often bytes are sent over SRT, milliseconds. */
const PACE_MS = 20;

/** A piece of a source. */
export interface SourcePiece {
  readonly seconds: number;
  readonly size: string;
  readonly encoder: 'libx264' | 'mpeg2video';
  readonly profile: 'baseline' | 'high' | 'main';
}

/** Encodes pieces whose time stamps follow one another. */
async function encode(
  pieces: readonly SourcePiece[],
  container: 'flv' | 'mpegts',
): Promise<readonly Buffer[]> {
  const folder = await mkdtemp(join(tmpdir(), 'rill-changing-'));
  try {
    const files: Buffer[] = [];
    let offset = 0;
    for (const { seconds, size, encoder, profile } of pieces) {
      const file = join(folder, 'piece');
      const picture = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`, '-t', String(seconds)];
      const coding = ['-c:v', encoder, '-profile:v', profile, '-preset', 'ultrafast', '-tune', 'zerolatency'];
      const timing = ['-pix_fmt', 'yuv420p', '-g', '30', '-output_ts_offset', String(offset)];
      await run('ffmpeg', ['-v', 'error', '-y', ...picture, ...coding, ...timing, '-f', container, file]);
      files.push(await readFile(file));
      offset += seconds;
    }
    return files;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Sends pieces as one MPEG-TS over one SRT connection, at the speed they are played; resolves when all is sent. */
export async function sendOverSrt(url: string, pieces: readonly SourcePiece[]): Promise<void> {
  const files = await encode(pieces, 'mpegts');
  // The demuxer and muxer `data` hand bytes on unread.
  const sender = spawn('ffmpeg', [
    ...['-v', 'error', '-f', 'data', '-i', 'pipe:0', '-map', '0', '-c', 'copy', '-f', 'data', url],
  ]);
  sender.stdin.on('error', () => undefined);
  const exited = once(sender, 'exit');
  for (const [index, bytes] of files.entries()) {
    const step = Math.ceil((bytes.length * PACE_MS) / ((pieces[index]?.seconds ?? 1) * 1000));
    for (let at = 0; at < bytes.length && sender.exitCode === null; at += step) {
      sender.stdin.write(bytes.subarray(at, at + step));
      await sleep(PACE_MS);
    }
  }
  sender.stdin.end();
  await exited;
}

/** Sends pieces over one RTMP connection, at the speed they are played and as `change` makes them; it stays open. */
export async function sendOverRtmp(
  url: string,
  pieces: readonly SourcePiece[],
  change: (tag: MediaTag) => MediaTag = (tag) => tag,
): Promise<TestPublisher> {
  const files = await encode(pieces, 'flv');
  const { port, pathname, search } = new URL(url);
  const publisher = new TestPublisher(Number(port));
  publisher.publish(pathname.slice('/live/'.length) + search);
  const startedAt = performance.now();
  for (const tag of files.flatMap(readMediaTags)) {
    await sleep(Math.max(0, startedAt + tag.timestamp - performance.now()));
    publisher.tags(change(tag));
  }
  return publisher;
}

function readMediaTags(flv: Buffer): readonly MediaTag[] {
  const tags: MediaTag[] = [];
  // Behind the file header and the first PreviousTagSize.
  for (let at = 13; at + 11 <= flv.length;) {
    const type = flv[at] ?? 0;
    const size = flv.readUIntBE(at + 1, 3);
    const timestamp = flv.readUIntBE(at + 4, 3) + (flv[at + 7] ?? 0) * 0x1_00_00_00;
    if (type === FLV_AUDIO || type === FLV_VIDEO) {
      tags.push({ type, timestamp, body: flv.subarray(at + 11, at + 11 + size) });
    }
    at += 11 + size + 4;
  }
  return tags;
}
