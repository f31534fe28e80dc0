/** Playback through hls.js in low-latency mode, with bounded recovery from fatal errors. */

import HlsJs, { ErrorDetails, ErrorTypes, Events, type ErrorData } from 'hls.js';
import { END_LOOK_MS, EndWatch } from './end-watch.ts';
import { chooseLatency } from './measurement.ts';
import type { Playback, PlaybackEnd } from './playback.ts';

/** Recoveries in a row before playback is given up. */
const MAX_RECOVERIES = 5;
/** First pause before a recovery, milliseconds; it doubles with each in a row. */
const FIRST_PAUSE_MS = 250;
/** Playback without a fatal error after which recoveries count from zero again, milliseconds. */
const SOUND_AFTER_MS = 15_000;

/**
 * Speed at which playback may catch up with its target latency: 3 s are made good in about 15 s, and speech at this
 * speed still sounds like speech. hls.js would otherwise stay behind for good.
 */
const MAX_CATCH_UP_RATE = 1.25;
/** What each stall adds to the target latency until playback is sound again, seconds. */
const STALL_INCREASE_SECONDS = 0.25;

/** Event on the video element for each error that hls.js cannot go on from by itself; `detail` names it. */
const FATAL_ERROR_EVENT = 'fatalerror';

/** Tells whether hls.js can play here. */
export function supportsHlsJs(): boolean {
  // oxlint-disable-next-line import/no-named-as-default-member -- the types know it as a static member only
  return HlsJs.isSupported();
}

/** Plays a multivariant playlist on a video element. */
export function playWithHlsJs(video: HTMLVideoElement, playlist: string): Playback {
  const { promise: end, resolve } = Promise.withResolvers<PlaybackEnd>();
  const hls = new HlsJs({
    lowLatencyMode: true,
    maxLiveSyncPlaybackRate: MAX_CATCH_UP_RATE,
    liveSyncOnStallIncrease: STALL_INCREASE_SECONDS,
  });
  const stopForgetting = forgetStalls(hls);
  const recovery = new Recovery(hls, (detail) => resolve({ kind: 'failed', detail }));
  const onEnded = (): void => resolve({ kind: 'ended' });
  hls.on(Events.ERROR, (_event, error) => {
    if (error.fatal) {
      video.dispatchEvent(new CustomEvent(FATAL_ERROR_EVENT, { detail: error.details }));
    }
    recovery.handle(error);
  });
  video.addEventListener('ended', onEnded);
  const stopWatching = watchForEnd(hls, video, onEnded);
  hls.loadSource(playlist);
  hls.attachMedia(video);
  return {
    end,
    engine: { engine: hls, player: 'hls.js', playerVersion: HlsJs.version },
    latency: () => chooseLatency(clockLatency(hls.playingDate), hls.latency),
    rendition: () => currentRendition(hls),
    stop: () => {
      video.removeEventListener('ended', onEnded);
      recovery.stop();
      stopForgetting();
      stopWatching();
      hls.destroy();
    },
  };
}

/**
 * Takes the target latency back to what the playlist asks for (PART-HOLD-BACK, rfc8216bis §4.4.3.8) once playback
 * has been without a stall for {@link SOUND_AFTER_MS}: hls.js only ever raises it. Returns how to stop that.
 */
function forgetStalls(hls: HlsJs): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked: number | undefined;
  hls.on(Events.LEVEL_UPDATED, (_event, { details }) => {
    asked = details.partHoldBack > 0 ? details.partHoldBack : undefined;
  });
  hls.on(Events.ERROR, (_event, error) => {
    if (error.details !== ErrorDetails.BUFFER_STALLED_ERROR) {
      return;
    }
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (asked !== undefined) {
        hls.targetLatency = asked;
      }
    }, SOUND_AFTER_MS);
  });
  return () => clearTimeout(timer);
}

/** Calls `onEnded` where the video element itself does not notice the end. Returns how to stop that. */
function watchForEnd(hls: HlsJs, video: HTMLVideoElement, onEnded: () => void): () => void {
  const watch = new EndWatch();
  const timer = setInterval(() => {
    const details = hls.latestLevelDetails;
    if (details === null) {
      return;
    }
    const { live, edge } = details;
    if (watch.hasEnded({ live, edge, currentTime: video.currentTime, paused: video.paused })) {
      onEnded();
    }
  }, END_LOOK_MS);
  return () => clearInterval(timer);
}

/** Turns fatal errors into recoveries with growing pauses, and gives up after too many in a row. */
class Recovery {
  readonly #hls: HlsJs;
  readonly #giveUp: (detail: string) => void;
  #count = 0;
  #lastFatal = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(hls: HlsJs, giveUp: (detail: string) => void) {
    this.#hls = hls;
    this.#giveUp = giveUp;
  }

  handle(error: ErrorData): void {
    if (!error.fatal) {
      return;
    }
    const now = performance.now();
    this.#count = now - this.#lastFatal > SOUND_AFTER_MS ? 1 : this.#count + 1;
    this.#lastFatal = now;
    const step = this.#step(error);
    if (step === undefined || this.#count > MAX_RECOVERIES) {
      this.#giveUp(error.details);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(step, FIRST_PAUSE_MS * 2 ** (this.#count - 1));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** The recovery for an error; none where the edge refuses, since asking again would change nothing. */
  #step(error: ErrorData): (() => void) | undefined {
    const status = error.response?.code ?? 0;
    if (status === 401 || status === 403 || status === 404 || status === 451) {
      return undefined;
    }
    switch (error.type) {
      case ErrorTypes.NETWORK_ERROR:
        return this.#hls.levels.length === 0 ? undefined : (): void => this.#hls.startLoad();
      case ErrorTypes.MEDIA_ERROR:
        return (): void => this.#hls.recoverMediaError();
      case ErrorTypes.KEY_SYSTEM_ERROR:
      case ErrorTypes.MUX_ERROR:
      case ErrorTypes.OTHER_ERROR:
        return undefined;
    }
  }
}

function clockLatency(playingDate: Date | null): number | undefined {
  return playingDate === null ? undefined : (Date.now() - playingDate.getTime()) / 1000;
}

function currentRendition(hls: HlsJs): ReturnType<Playback['rendition']> {
  const level = hls.levels[hls.currentLevel];
  return level === undefined ? undefined : { height: level.height, bitrate: level.bitrate };
}
