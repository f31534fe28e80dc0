/** What hls.js, Shaka Player, dash.js and the browser's own player tell of the picture, by shape alone. */

/** A method that takes an event's name and a listener, whatever types a player's declarations give the two. */
type Listen = (...eventAndListener: never[]) => unknown;

/** What is read of hls.js 1.x. */
export interface HlsJsEngine {
  readonly levels: readonly { readonly height: number; readonly bitrate: number }[];
  readonly currentLevel: number;
  readonly playingDate: Date | null;
  readonly on: Listen;
  readonly off: Listen;
}

/** What is read of Shaka Player 4 and 5. */
export interface ShakaEngine {
  getVariantTracks(): readonly {
    readonly active: boolean;
    readonly height: number | null;
    readonly bandwidth: number;
  }[];
  getPlayheadTimeAsDate(): Date | null;
  readonly addEventListener: Listen;
  readonly removeEventListener: Listen;
}

/** What is read of dash.js 5. */
export interface DashJsEngine {
  getCurrentRepresentationForType(
    type: 'video',
  ): { readonly height: number; readonly bandwidth: number } | null;
  getCurrentLiveLatency(): number;
  readonly on: Listen;
  readonly off: Listen;
}

/** A player that has a video element in hand. */
export type PlayerEngine = HlsJsEngine | ShakaEngine | DashJsEngine;

/** The rendition in the picture; `bitrate` in bits per second. */
export interface ShownRendition {
  readonly height: number | undefined;
  readonly bitrate: number | undefined;
}

/** Reads the rendition in the picture. */
export function shownRendition(video: HTMLVideoElement, engine: PlayerEngine | undefined): ShownRendition {
  const shown = quietly(() => {
    if (engine === undefined) {
      return undefined;
    }
    if ('levels' in engine) {
      return engine.levels[engine.currentLevel];
    }
    return 'getVariantTracks' in engine
      ? engine.getVariantTracks().find(({ active }) => active)
      : (engine.getCurrentRepresentationForType('video') ?? undefined);
  });
  const bitrate = shown === undefined || 'bitrate' in shown ? shown?.bitrate : shown.bandwidth;
  return { height: shown?.height || video.videoHeight || undefined, bitrate: bitrate || undefined };
}

/** Latency by the clock in the media, milliseconds at `now` (Unix milliseconds); `undefined` where not known. */
export function clockLatency(
  video: HTMLVideoElement,
  engine: PlayerEngine | undefined,
  now: number,
): number | undefined {
  const latency = quietly(() => {
    if (engine === undefined) {
      return now - startDate(video) - video.currentTime * 1000;
    }
    if ('getCurrentLiveLatency' in engine) {
      return engine.getCurrentLiveLatency() * 1000;
    }
    const date = 'levels' in engine ? engine.playingDate : engine.getPlayheadTimeAsDate();
    return date === null ? undefined : now - date.getTime();
  });
  return latency !== undefined && latency > 0 ? latency : undefined;
}

/** Tells of errors that a player cannot go on from by itself; returns how to stop that. */
export function followErrors(
  engine: PlayerEngine | undefined,
  report: (code: string, detail?: string) => void,
): () => void {
  if (engine === undefined) {
    return () => undefined;
  }
  const isHlsJs = 'levels' in engine;
  const listener = (...told: readonly unknown[]): void => {
    const error = isHlsJs ? readHlsJsError(told[1]) : readError(told[0]);
    if (error !== undefined) {
      report(error.code, error.detail);
    }
  };
  const [listen, unlisten] =
    'getVariantTracks' in engine
      ? [engine.addEventListener, engine.removeEventListener]
      : [engine.on, engine.off];
  const subscription = [isHlsJs ? 'hlsError' : 'error', listener];
  Reflect.apply(listen, engine, subscription);
  return () => quietly(() => Reflect.apply(unlisten, engine, subscription));
}

/** An error as a beacon has it. */
interface EngineError {
  readonly code: string;
  readonly detail?: string;
}

function readHlsJsError(error: unknown): EngineError | undefined {
  const { fatal, details, response } = Object(error);
  if (fatal !== true) {
    return undefined;
  }
  const status: unknown = Object(response).code;
  return typeof status === 'number'
    ? { code: String(details), detail: `status ${status}` }
    : { code: String(details) };
}

/** Shaka tells of an event's `detail` with code and severity, dash.js of an `error` with a code. */
function readError(event: unknown): EngineError | undefined {
  const { detail, error } = Object(event);
  const { code, severity } = Object(detail ?? error);
  return severity === SHAKA_RECOVERABLE
    ? undefined
    : { code: `${detail === undefined ? 'dash' : 'shaka'} ${code}` };
}

/** `shaka.util.Error.Severity.RECOVERABLE`. */
const SHAKA_RECOVERABLE = 1;

/** The date of position 0, which WebKit gives of EXT-X-PROGRAM-DATE-TIME; NaN where there is none. */
function startDate(video: HTMLVideoElement): number {
  const start: unknown =
    'getStartDate' in video && typeof video.getStartDate === 'function' ? video.getStartDate() : undefined;
  return start instanceof Date ? start.getTime() : Number.NaN;
}

/** A player that is being torn down may throw at any question. */
function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
