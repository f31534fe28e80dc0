/** Made-up tracks and samples for the packager's tests. */

import { ticks, timescale } from '#shared/media-time.ts';
import type { Sample, Track } from './sample.ts';

/** A video track of a timescale. */
export function videoTrack(id: number, scale: number): Track {
  return {
    id,
    kind: 'video',
    timescale: timescale(scale),
    sampleEntry: new Uint8Array([0, 0, 0, 8, 0x61, 0x76, 0x63, 0x31]),
    codecs: 'avc1.42C01E',
    width: 640,
    height: 360,
    channels: 0,
    sampleRate: 0,
  };
}

/** An AAC track of a sample rate. */
export function audioTrack(id: number, sampleRate: number): Track {
  return {
    ...videoTrack(id, sampleRate),
    kind: 'audio',
    codecs: 'mp4a.40.2',
    width: 0,
    height: 0,
    channels: 2,
    sampleRate,
  };
}

/** Samples whose decode times are given; the last one's duration is that of the one before. */
export function samplesAt(
  decodeTimes: readonly number[],
  describe: (index: number) => { readonly sync: boolean; readonly compositionOffset?: number },
): readonly Sample[] {
  return decodeTimes.map((decodeTime, index) => {
    const next = decodeTimes[index + 1];
    const before = decodeTimes[index - 1] ?? decodeTime - 1;
    const { sync, compositionOffset = 0 } = describe(index);
    const data = new Uint8Array([sync ? 1 : 0, index & 0xff, (index >> 8) & 0xff]);
    const duration = ticks(next === undefined ? decodeTime - before : next - decodeTime);
    return { decodeTime: ticks(decodeTime), duration, compositionOffset, sync, data };
  });
}

/** Constant-rate video: `frames` frames of `frameTicks`, a key frame every `gop`. */
export function steadyVideo(options: {
  readonly frames: number;
  readonly frameTicks: number;
  readonly gop: number;
  readonly from?: number;
}): readonly Sample[] {
  const { frames, frameTicks, gop, from = 0 } = options;
  const times = Array.from({ length: frames }, (_, index) => from + index * frameTicks);
  return samplesAt(times, (index) => ({ sync: index % gop === 0 }));
}

/** AAC frames of 1024 ticks. */
export function steadyAudio(frames: number, from = 0): readonly Sample[] {
  return samplesAt(
    Array.from({ length: frames }, (_, index) => from + index * 1024),
    () => ({ sync: true }),
  );
}
