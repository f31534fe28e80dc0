/** The ffmpeg command line that pushes a feed on, as it came: feed on standard input, target behind it. */

import type { FeedContainer } from '../ingest/media-feed.ts';
import type { TargetAddress } from './target-address.ts';

/** The file descriptor on which ffmpeg finds the options that are secret. */
const OPTIONS_FD = 3;

/**
 * How far ffmpeg reads ahead, bytes and microseconds: a muxer's header needs the sample rate of sound, which over
 * MPEG-TS comes some hundred milliseconds after the picture. It reads no further than it has to.
 */
const PROBING = ['-probesize', '2000000', '-analyzeduration', '2000000', '-fpsprobesize', '0'];

/** Builds the arguments; what they name of the target is what may be seen. Progress comes on standard output. */
export function restreamArguments(container: FeedContainer, target: TargetAddress): readonly string[] {
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'warning'],
    ...['-progress', 'pipe:1', '-stats_period', '1'],
    ...['-protocol_whitelist', 'pipe', ...PROBING],
    ...['-f', container === 'flv' ? 'live_flv' : 'mpegts', '-i', 'pipe:0'],
    ...['-map', '0:v:0?', '-map', '0:a:0?', '-c', 'copy'],
    ...['-f', target.container],
    // A target cannot go back to its header.
    ...(target.container === 'flv' ? ['-flvflags', 'no_duration_filesize'] : []),
    ...['-fpre', `/dev/fd/${OPTIONS_FD}`, target.shown],
  ];
}

/** The content of ffmpeg's options file. */
export function renderOptions({ options }: TargetAddress): string {
  // ffmpeg refuses a file without a line.
  return [...options, ['rw_timeout', RW_TIMEOUT_MICROSECONDS]]
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** A target that takes nothing for so long is gone, for ffmpeg itself. */
const RW_TIMEOUT_MICROSECONDS = '10000000';
