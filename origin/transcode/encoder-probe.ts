/** Finds out whether an encoder works here: by encoding with it. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fail, ok, type Result } from '#shared/result.ts';
import { deviceOptions, encoderInput, encoderOptions } from './encoder-options.ts';
import type { EncoderName } from './encoder-table.ts';
import type { EncodedCodec } from './ladder.ts';
import type { VideoEncoding } from './planned-rendition.ts';

/** What one try may take, milliseconds: opening a GPU takes up to some seconds after the machine's start. */
const PROBE_TIMEOUT = 15_000;
/** Largest output of a try, bytes: a few frames. */
const MAX_OUTPUT = 4 * 1024 * 1024;
/** A picture that every encoder takes, at a rate that every level allows. */
const PICTURE = { size: '640x360', rate: 30, bitrate: 500_000 };
const FRAMES = 12;
/** The frame that has to become a key frame because it is asked for. */
const FORCED_FRAME = 6;
/** Characters of ffmpeg's words that are passed on. */
const CAUSE_CHARACTERS = 200;

const run = promisify(execFile);

/** Why an encoder cannot be used, in ffmpeg's words or ours. */
export type ProbeFailure = { readonly reason: 'encoder-fails'; readonly detail: string };

/** Encodes a few frames with the options of a real run; they must come out, with a key frame where it was asked for. */
export async function probeEncoder(
  ffmpegPath: string,
  encoder: EncoderName,
  device: string | undefined,
): Promise<Result<undefined, ProbeFailure>> {
  try {
    const options = { timeout: PROBE_TIMEOUT, maxBuffer: MAX_OUTPUT, encoding: 'buffer' as const };
    const { stdout } = await run(ffmpegPath, [...probeArguments(encoder, device)], options);
    return countFragments(stdout) < 2
      ? failure('it sets no key frames where they are asked for')
      : ok(undefined);
  } catch (error) {
    return failure(causeOf(error));
  }
}

/** The command line of a try: each key frame begins a fragment on standard output. */
export function probeArguments(encoder: EncoderName, device: string | undefined): readonly string[] {
  const { size, rate, bitrate } = PICTURE;
  return [
    ...['-hide_banner', '-nostdin', '-v', 'error', ...deviceOptions([encoder], device)],
    ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}`, '-frames:v:0', String(FRAMES)],
    ...['-vf', encoderInput(encoder), ...encoderOptions(encodingFor(encoder, device, bitrate), 0, rate)],
    ...['-force_key_frames:v:0', `expr:eq(n,${FORCED_FRAME})`],
    ...['-f', 'mp4', '-movflags', '+frag_keyframe+empty_moov+default_base_moof', 'pipe:1'],
  ];
}

function encodingFor(encoder: EncoderName, device: string | undefined, bitrate: number): VideoEncoding {
  const codec = codecOf(encoder);
  const rung = { name: 'probe', codec, height: 360, bitrate, bufferSeconds: 1 };
  return { codec, encoder, device, rung, bitrate, maxBitrate: bitrate, captions: true };
}

function codecOf(encoder: EncoderName): EncodedCodec {
  if (encoder.includes('av1')) {
    return 'av1';
  }
  return encoder.includes('265') || encoder.startsWith('hevc') ? 'hevc' : 'h264';
}

/** Fragments of an MP4 file: its `moof` boxes. */
function countFragments(file: Buffer): number {
  let count = 0;
  for (let at = 0; at + 8 <= file.length; at += Math.max(8, file.readUInt32BE(at))) {
    count += file.toString('latin1', at + 4, at + 8) === 'moof' ? 1 : 0;
  }
  return count;
}

/** The first thing that ffmpeg complained of: what follows are its consequences. */
function causeOf(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('Svt['));
  const first = lines[0] ?? (error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
  return first.replace(/^\[[^\]]*\] /, '').slice(0, CAUSE_CHARACTERS);
}

function failure(detail: string): { readonly ok: false; readonly failure: ProbeFailure } {
  return fail({ reason: 'encoder-fails', detail });
}
