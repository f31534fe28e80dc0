/** Playback by the browser itself, where hls.js finds no Media Source Extensions. */

import { chooseLatency } from './measurement.ts';
import type { Playback, PlaybackEnd } from './playback.ts';

/** Tells whether the browser plays HLS by itself. */
export function supportsNativeHls(video: HTMLVideoElement): boolean {
  return video.canPlayType('application/vnd.apple.mpegurl') !== '';
}

/** Plays a multivariant playlist on a video element. */
export function playNatively(video: HTMLVideoElement, playlist: string): Playback {
  const { promise: end, resolve } = Promise.withResolvers<PlaybackEnd>();
  const onEnded = (): void => resolve({ kind: 'ended' });
  const onError = (): void => resolve({ kind: 'failed', detail: video.error?.message ?? 'unknown' });
  video.addEventListener('ended', onEnded);
  video.addEventListener('error', onError);
  video.src = playlist;
  return {
    end,
    engine: { player: 'native' },
    latency: () => chooseLatency(clockLatency(video), liveEdgeDistance(video)),
    rendition: () =>
      video.videoHeight === 0 ? undefined : { height: video.videoHeight, bitrate: undefined },
    stop: () => {
      video.removeEventListener('ended', onEnded);
      video.removeEventListener('error', onError);
      video.removeAttribute('src');
      video.load();
    },
  };
}

/** By EXT-X-PROGRAM-DATE-TIME, which WebKit gives as the date of position 0. */
function clockLatency(video: HTMLVideoElement): number | undefined {
  if (!('getStartDate' in video) || typeof video.getStartDate !== 'function') {
    return undefined;
  }
  const start: unknown = video.getStartDate();
  const latency = start instanceof Date ? (Date.now() - start.getTime()) / 1000 - video.currentTime : NaN;
  return Number.isFinite(latency) ? latency : undefined;
}

function liveEdgeDistance(video: HTMLVideoElement): number | undefined {
  const { seekable } = video;
  return seekable.length === 0 ? undefined : seekable.end(seekable.length - 1) - video.currentTime;
}
