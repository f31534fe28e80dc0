/** The watch page: waits for the stream, plays it, measures playback, and starts again when it has to. */

import { askAvailability, ENDED, RETRY_MS, SOON_MS } from './availability.ts';
import { playWithHlsJs, supportsHlsJs } from './hls-playback.ts';
import { bufferedAhead, NOTHING_MEASURED } from './measurement.ts';
import { playNatively, supportsNativeHls } from './native-playback.ts';
import type { Playback, PlaybackEnd } from './playback.ts';
import { attachQoe, type Qoe } from './qoe/rill-qoe.ts';
import { offerSound } from './sound.ts';
import { PlaybackSession } from './playback-session.ts';
import { element, followControls, showMeasurement, showState, showStream } from './view.ts';
import { beaconAddress, parseWatchAddress } from './watch-address.ts';

/** Time between two updates of the figures, milliseconds: readable, and cheap on a phone. */
const MEASURE_EVERY_MS = 250;
/** A picture that stands longer than this is worth a message, milliseconds. */
const HICCUP_MS = 2_000;

type Player = (video: HTMLVideoElement, playlist: string) => Playback;

void watch();

async function watch(): Promise<void> {
  const address = parseWatchAddress(location.href);
  const video = element('video', HTMLVideoElement);
  showStream(video, address.stream);
  followControls(video);
  offerSound(video);
  const player = choosePlayer(video);
  if (player === undefined) {
    showState('refused', 'This browser can play no live video.');
    return;
  }
  const session = new PlaybackSession(address.playlist);
  let ended = false;
  while (await waitUntilReady(session, ended)) {
    const end = await playOnce({ video, stream: address.stream, playlist: session.playlist, player });
    ended = end.kind === 'ended';
    showState(ended ? 'ended' : 'waiting', ended ? ENDED : 'Playback was interrupted. Trying again …');
    await pause(RETRY_MS);
  }
}

/** hls.js first: it gives a lower latency than most browsers' own player, and figures to show. */
function choosePlayer(video: HTMLVideoElement): Player | undefined {
  if (supportsHlsJs()) {
    return playWithHlsJs;
  }
  return supportsNativeHls(video) ? playNatively : undefined;
}

/** Asks until the stream is there (`true`), after its end: is live again, or the edge refuses for good (`false`). */
async function waitUntilReady(session: PlaybackSession, ended: boolean): Promise<boolean> {
  for (;;) {
    const availability = await askAvailability(session.playlist, ended);
    switch (availability.kind) {
      case 'ready':
        session.goOn(availability.playlist ?? session.playlist);
        return true;
      case 'refused':
        if (!session.startAnew()) {
          showState('refused', availability.message);
          return false;
        }
        break;
      case 'waiting':
        showState(ended ? 'ended' : 'waiting', availability.message);
        await pause(availability.soon === true ? SOON_MS : RETRY_MS);
    }
  }
}

async function playOnce(parts: {
  readonly video: HTMLVideoElement;
  readonly stream: string;
  readonly playlist: string;
  readonly player: Player;
}): Promise<PlaybackEnd> {
  const { video, stream, playlist, player } = parts;
  showState('waiting', 'Loading …');
  const playback = player(video, playlist);
  const qoe = attachQoe(video, { url: beaconAddress(playlist), stream, ...playback.engine });
  const unfollow = followPicture(video);
  const timer = setInterval(() => measure(video, playback, qoe), MEASURE_EVERY_MS);
  try {
    startMuted(video);
    return await playback.end;
  } finally {
    clearInterval(timer);
    unfollow();
    showMeasurement(NOTHING_MEASURED);
    qoe.detach();
    playback.stop();
  }
}

/** Says live while the picture moves, and that it waits when it stands longer than a hiccup. */
function followPicture(video: HTMLVideoElement): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onPlaying = (): void => {
    clearTimeout(timer);
    showState('live', undefined);
  };
  const onWaiting = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => showState('waiting', 'Waiting for the stream …'), HICCUP_MS);
  };
  video.addEventListener('playing', onPlaying);
  video.addEventListener('waiting', onWaiting);
  return () => {
    clearTimeout(timer);
    video.removeEventListener('playing', onPlaying);
    video.removeEventListener('waiting', onWaiting);
  };
}

/** Starts playback where the browser lets a page do so without a gesture. */
function startMuted(video: HTMLVideoElement): void {
  video.play().catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'NotAllowedError') {
      showState('waiting', 'Press play to start.');
    }
  });
}

function measure(video: HTMLVideoElement, playback: Playback, qoe: Qoe): void {
  const { buffered } = video;
  const ranges = Array.from({ length: buffered.length }, (_, index) => ({
    start: buffered.start(index),
    end: buffered.end(index),
  }));
  showMeasurement({
    latency: video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA ? undefined : playback.latency(),
    buffer: bufferedAhead(ranges, video.currentTime),
    rendition: playback.rendition(),
    droppedFrames: video.getVideoPlaybackQuality().droppedVideoFrames,
    stalls: qoe.figures().stalls,
  });
}

async function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
