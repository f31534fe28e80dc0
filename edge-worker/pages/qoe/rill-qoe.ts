/**
 * Rill's player module: measures how playback goes on any video element and tells the edge. Without dependencies;
 * the edge serves it as `/assets/rill-qoe.js`, and the watch page uses it.
 */

import type { MediaInput } from '../../../shared/qos/player/media-input.ts';
import { QoeSession, type QoeFigures } from '../../../shared/qos/player/qoe-session.ts';
import { BeaconSender, type BeaconHead } from './beacon-sender.ts';
import { followErrors, type PlayerEngine } from './player-engine.ts';
import { readSample } from './video-sample.ts';

export type { DashJsEngine, HlsJsEngine, PlayerEngine, ShakaEngine } from './player-engine.ts';
export type { QoeFigures, QoePhase } from '../../../shared/qos/player/qoe-session.ts';

/** Time between two looks at the element, milliseconds: browsers tell its time as often. */
const LOOK_EVERY_MS = 250;
/** Longest texts of a beacon, characters. */
const LENGTH = { player: 64, playerVersion: 32, errorCode: 64, detail: 200 } as const;

/** What is measured, and where it is told. */
export interface QoeOptions {
  /** URL of the edge's `/beacon`, with the viewer's token: `https://edge.example/beacon?token=…`. */
  readonly url: string;
  /** Name of the stream. */
  readonly stream: string;
  /** The player that has the element in hand; none where the browser plays by itself. */
  readonly engine?: PlayerEngine | undefined;
  /** Name of the player, such as `hls.js`. */
  readonly player?: string | undefined;
  readonly playerVersion?: string | undefined;
  /** Time between two heartbeats, milliseconds; 10 s unless told otherwise. */
  readonly heartbeatMs?: number | undefined;
}

/** A running measurement. */
export interface Qoe {
  /** Id of the session; a page that comes back from the browser's back/forward cache begins another. */
  readonly session: string;
  /** What the session has come to. */
  figures(): QoeFigures;
  /** Tells of a request to play before the element knows of it: a click that loads the player first. */
  requestPlay(): void;
  /** Tells of an error that the element and the engine do not; no address and nothing of the viewer in it. */
  reportError(code: string, detail?: string): void;
  /** Ends the session and lets go of element and engine. */
  detach(): void;
}

/** Measures playback on a video element from now on. */
export function attachQoe(video: HTMLVideoElement, options: QoeOptions): Qoe {
  let measurement = new Measurement(video, options);
  const lifetime = new AbortController();
  const { signal } = lifetime;
  addEventListener('pagehide', () => measurement.leave(), { signal });
  const onShow = ({ persisted }: PageTransitionEvent): void => {
    if (persisted) {
      measurement = new Measurement(video, options);
    }
  };
  addEventListener('pageshow', onShow, { signal });
  return {
    get session() {
      return measurement.session;
    },
    figures: () => measurement.figures(),
    requestPlay: () => measurement.tell('play'),
    reportError: (code, detail) => measurement.fail(code, detail),
    detach: () => {
      lifetime.abort();
      measurement.leave();
    },
  };
}

/** One session on an element. */
class Measurement {
  readonly session = randomId();
  readonly #video: HTMLVideoElement;
  readonly #options: QoeOptions;
  readonly #sender: BeaconSender;
  readonly #machine: QoeSession;
  readonly #lifetime = new AbortController();
  readonly #unfollowErrors: () => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #frameHandle: number | undefined;

  constructor(video: HTMLVideoElement, options: QoeOptions) {
    this.#video = video;
    this.#options = options;
    this.#machine = new QoeSession(options);
    this.#sender = new BeaconSender(options.url, head(this.session, options));
    this.#follow();
    this.#unfollowErrors = followErrors(options.engine, (code, detail) => this.fail(code, detail));
    this.#timer = setInterval(() => this.tell('tick'), LOOK_EVERY_MS);
    if (document.visibilityState === 'hidden') {
      this.tell('hidden');
    }
    if (!video.paused) {
      this.tell(video.currentTime > 0 && video.readyState > 2 ? 'join' : 'play');
    } else if (video.autoplay && video.networkState === HTMLMediaElement.NETWORK_LOADING) {
      this.tell('play');
    }
  }

  figures(): QoeFigures {
    return this.#machine.figures();
  }

  tell(kind: Exclude<MediaInput['kind'], 'frame' | 'error'>): void {
    this.#take({ kind, sample: this.#sample() });
  }

  fail(code: string, detail?: string): void {
    const text = detail === undefined ? {} : { detail: plain(detail, LENGTH.detail) };
    this.#take({ kind: 'error', sample: this.#sample(), code: plain(code, LENGTH.errorCode), ...text });
  }

  leave(): void {
    if (this.#lifetime.signal.aborted) {
      return;
    }
    this.#lifetime.abort();
    clearInterval(this.#timer);
    this.#unfollowErrors();
    this.tell('leave');
    this.#sender.close();
  }

  #follow(): void {
    const video = this.#video;
    const { signal } = this.#lifetime;
    for (const kind of ['play', 'pause', 'waiting', 'seeking'] as const) {
      video.addEventListener(kind, () => this.tell(kind), { signal });
    }
    for (const name of ['playing', 'timeupdate', 'seeked', 'ratechange', 'progress'] as const) {
      video.addEventListener(name, () => this.tell('tick'), { signal });
    }
    for (const name of ['ended', 'emptied'] as const) {
      video.addEventListener(name, () => this.tell('pause'), { signal });
    }
    // `autoplay` asks to play as soon as loading begins; what the browser forbids is no request.
    video.addEventListener('loadstart', () => this.#if(video.autoplay, 'play'), { signal });
    video.addEventListener('canplaythrough', () => this.#if(video.paused, 'pause'), { signal });
    video.addEventListener('error', () => this.#mediaError(), { signal });
    const onVisibility = (): void => {
      const hidden = document.visibilityState === 'hidden';
      this.tell(hidden ? 'hidden' : 'visible');
      if (hidden) {
        this.#sender.handOver();
      }
    };
    document.addEventListener('visibilitychange', onVisibility, { signal });
  }

  #if(condition: boolean, kind: 'play' | 'pause'): void {
    if (condition) {
      this.tell(kind);
    }
  }

  #mediaError(): void {
    const { error } = this.#video;
    if (error !== null) {
      this.fail(`media ${error.code}`, error.message);
    }
  }

  #take(input: MediaInput): void {
    const events = this.#machine.take(input);
    const toUnix = Date.now() - performance.now();
    this.#sender.add(events.map((event) => ({ ...event, at: Math.round(event.at + toUnix) })));
    this.#watchFrames();
  }

  /** Pictures are looked at only where the session waits for one: a call for each would cost phones power. */
  #watchFrames(): void {
    const { phase } = this.#machine.figures();
    const wanted = phase === 'idle' || phase === 'starting' || phase === 'stalled';
    if (!wanted || this.#frameHandle !== undefined || this.#lifetime.signal.aborted) {
      return;
    }
    this.#frameHandle = this.#video.requestVideoFrameCallback?.((_now, { presentationTime, mediaTime }) => {
      this.#frameHandle = undefined;
      this.#take({ kind: 'frame', at: presentationTime, mediaTime });
    });
  }

  #sample(): ReturnType<typeof readSample> {
    const tellsFrames = 'requestVideoFrameCallback' in this.#video && document.visibilityState === 'visible';
    return readSample(this.#video, this.#options.engine, tellsFrames);
  }
}

function head(session: string, options: QoeOptions): BeaconHead {
  return {
    session,
    stream: options.stream,
    player: plain(options.player ?? 'video', LENGTH.player),
    playerVersion: plain(options.playerVersion ?? '', LENGTH.playerVersion),
  };
}

/** Printable ASCII of bounded length without addresses, which may hold a token. */
function plain(text: string, length: number): string {
  return text
    .replaceAll(/\w+:\/\/\S*|\/\S*/g, '.')
    .replaceAll(/[^ -~]/g, '.')
    .slice(0, length);
}

/** 128 random bits; `crypto.randomUUID` asks for a secure context. */
function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
