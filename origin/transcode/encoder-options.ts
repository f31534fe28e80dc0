/** What each H.264 encoder of ffmpeg needs to be told for low latency and for key frames only where asked. */

import type { H264Encoding } from './rendition-plan.ts';

/** Frames after which an encoder would set a key frame of its own: never within any segment. */
const NEVER_ON_ITS_OWN = 100_000;
/** Seconds of peak rate in the buffer model: what a key frame may borrow from the frames after it. */
const BUFFER_SECONDS = 1;

/**
 * Options of one encoded rung, each addressed to output video stream `index`. Behind `tee`, ffmpeg does not see
 * that MP4 wants the parameter sets in its header, so the encoder is told.
 *
 * `frameRate` goes to x264's rate control, which trusts it rather than the time stamps; without it ffmpeg would
 * assume 25.
 */
export function encoderOptions(
  encoding: H264Encoding,
  index: number,
  frameRate: number | undefined,
): readonly string[] {
  const { rung, maxBitrate } = encoding;
  const own = ownOptions(encoding, frameRate);
  const options: Record<string, string> = {
    c: rung.encoder,
    ...own,
    b: String(rung.bitrate),
    maxrate: String(maxBitrate),
    bufsize: String(Math.round(maxBitrate * BUFFER_SECONDS)),
    g: String(NEVER_ON_ITS_OWN),
    bf: '0',
    flags: '+cgop+global_header',
    enc_time_base: '1:90000',
  };
  return Object.entries(options).flatMap(([option, value]) => [`-${option}:v:${index}`, value]);
}

function ownOptions(encoding: H264Encoding, frameRate: number | undefined): Record<string, string> {
  const { encoder, preset, tune, profile } = encoding.rung;
  switch (encoder) {
    case 'libx264':
      return {
        preset: preset ?? 'superfast',
        tune: tune ?? 'zerolatency',
        profile: profile ?? 'high',
        sc_threshold: '0',
        ...(frameRate === undefined ? {} : { 'x264-params': `fps=${Number(frameRate.toFixed(3))}` }),
      };
    case 'h264_nvenc':
      return {
        preset: preset ?? 'p3',
        tune: tune ?? 'ull',
        profile: profile ?? 'high',
        'no-scenecut': '1',
        'forced-idr': '1',
        zerolatency: '1',
        delay: '0',
      };
    case 'h264_qsv':
      return { preset: preset ?? 'veryfast', profile: profile ?? 'high', async_depth: '1', forced_idr: '1' };
    case 'h264_videotoolbox':
      return { profile: profile ?? 'high', realtime: '1' };
  }
}
