/** What each video encoder of ffmpeg needs to be told for low latency and for key frames only where asked. */

import { hardwareOf, type EncoderName } from './encoder-table.ts';
import type { VideoEncoding } from './planned-rendition.ts';

/** Frames after which an encoder would set a key frame of its own: never within any segment. */
const NEVER_ON_ITS_OWN = 100_000;

type Options = Readonly<Record<string, string>>;

/**
 * Options of one encoded rung, each addressed to output video stream `index`. Behind `tee`, ffmpeg does not see
 * that MP4 wants the parameter sets in its header, so the encoder is told.
 *
 * `frameRate` goes to the rate control of x264 and x265, which trust it rather than the time stamps; without it
 * ffmpeg would assume 25.
 */
export function encoderOptions(
  encoding: VideoEncoding,
  index: number,
  frameRate: number | undefined,
): readonly string[] {
  const options: Options = {
    c: encoding.encoder,
    ...ownOptions(encoding, frameRate),
    ...rateOptions(encoding),
    g: String(NEVER_ON_ITS_OWN),
    bf: '0',
    flags: '+cgop+global_header',
    // MPEG-TS's and ffmpeg's own tags are none that players of MP4 take.
    ...(encoding.codec === 'hevc' ? { tag: 'hvc1' } : {}),
    enc_time_base: '1:90000',
  };
  return Object.entries(options).flatMap(([option, value]) => [`-${option}:v:${index}`, value]);
}

/** The pixel format that an encoder takes, and how pictures get to where it runs. */
export function encoderInput(encoder: EncoderName): string {
  switch (hardwareOf(encoder)) {
    case 'vaapi':
      return 'format=nv12,hwupload';
    case 'qsv':
      return 'format=nv12';
    default:
      return 'format=yuv420p';
  }
}

/** Options before the input that open the hardware of the encoders. */
export function deviceOptions(
  encoders: readonly EncoderName[],
  device: string | undefined,
): readonly string[] {
  const kinds = new Set(encoders.map(hardwareOf));
  return [
    ...(kinds.has('vaapi') ? ['-init_hw_device', `vaapi=va:${device ?? ''}`, '-filter_hw_device', 'va'] : []),
    ...(kinds.has('qsv') && device !== undefined ? ['-qsv_device', device] : []),
  ];
}

/** Average, peak and buffer; with `quality`, constant quality under that peak. */
function rateOptions({ encoder, rung, bitrate, maxBitrate }: VideoEncoding): Options {
  const buffer = {
    maxrate: String(maxBitrate),
    bufsize: String(Math.round(maxBitrate * rung.bufferSeconds)),
  };
  if (rung.quality === undefined) {
    return encoder === 'libsvtav1' ? { b: String(bitrate) } : { b: String(bitrate), ...buffer };
  }
  const quality = String(rung.quality);
  switch (hardwareOf(encoder)) {
    case 'nvenc':
      return { rc: 'vbr', cq: quality, b: '0', ...buffer };
    case 'vaapi':
      return { rc_mode: 'QVBR', global_quality: quality, b: String(bitrate), ...buffer };
    case 'qsv':
      return { global_quality: quality, b: String(bitrate), ...buffer };
    case 'videotoolbox':
      return { b: String(bitrate), ...buffer };
    case undefined:
      return encoder === 'libaom-av1'
        ? { crf: quality, b: String(maxBitrate), ...buffer }
        : { crf: quality, ...(encoder === 'libsvtav1' ? { maxrate: String(maxBitrate) } : buffer) };
  }
}

function ownOptions(encoding: VideoEncoding, frameRate: number | undefined): Options {
  const { encoder } = encoding;
  const hardware = hardwareOf(encoder);
  return hardware === undefined ? softwareOptions(encoding, frameRate) : hardwareOptions(encoding, hardware);
}

function softwareOptions({ encoder, rung, captions }: VideoEncoding, frameRate: number | undefined): Options {
  const { preset, tune, profile } = rung;
  const fps = frameRate === undefined ? [] : [`fps=${Number(frameRate.toFixed(3))}`];
  switch (encoder) {
    case 'libx265':
      return {
        preset: preset ?? 'ultrafast',
        tune: tune ?? 'zerolatency',
        profile: profile ?? 'main',
        'forced-idr': '1',
        'x265-params': ['log-level=error', 'scenecut=0', 'open-gop=0', 'repeat-headers=0', ...fps].join(':'),
      };
    case 'libsvtav1':
      // Its low-delay mode aims at a bit rate only when told to keep it constant.
      return {
        preset: preset ?? '10',
        'svtav1-params': `pred-struct=1:scd=0${rung.quality === undefined ? ':rc=2' : ''}`,
      };
    case 'libaom-av1':
      return {
        usage: 'realtime',
        'cpu-used': preset ?? '8',
        'lag-in-frames': '0',
        'row-mt': '1',
        tiles: '2x1',
      };
    default:
      return {
        preset: preset ?? 'superfast',
        tune: tune ?? 'zerolatency',
        profile: profile ?? 'high',
        sc_threshold: '0',
        a53cc: captions ? '1' : '0',
        ...(fps.length === 0 ? {} : { 'x264-params': fps.join(':') }),
      };
  }
}

function hardwareOptions(
  { codec, rung, captions, device }: VideoEncoding,
  hardware: NonNullable<ReturnType<typeof hardwareOf>>,
): Options {
  const profile = rung.profile ?? (codec === 'h264' ? 'high' : 'main');
  const a53cc = captions ? '1' : '0';
  switch (hardware) {
    case 'nvenc':
      return {
        preset: rung.preset ?? 'p3',
        tune: rung.tune ?? 'ull',
        ...(codec === 'av1' ? {} : { profile, a53cc }),
        'no-scenecut': '1',
        'forced-idr': '1',
        zerolatency: '1',
        delay: '0',
        ...(device === undefined ? {} : { gpu: device }),
      };
    case 'qsv':
      return {
        preset: rung.preset ?? 'veryfast',
        profile,
        async_depth: '1',
        ...(codec === 'av1' ? {} : { forced_idr: '1' }),
        ...(codec === 'h264' ? { a53cc } : {}),
      };
    case 'vaapi':
      return { profile, async_depth: '1' };
    case 'videotoolbox':
      return { profile, realtime: '1' };
  }
}
