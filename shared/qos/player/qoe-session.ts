/**
 * One playback session as a state machine: media inputs with their times go in, the events of a beacon come out.
 * Whether a playhead that should move does so, after the first frame, not paused, not on the way to a position that
 * was asked for, and on a visible page, is `play-clock.ts`.
 */

import type { BeaconEvent, HEARTBEAT_MS } from '../beacon.ts';
import { EventLog } from './event-log.ts';
import type { MediaInput, Sample } from './media-input.ts';
import { PlayClock, movedMs } from './play-clock.ts';

/** Where a session stands. */
export type QoePhase = 'idle' | 'starting' | 'playing' | 'stalled' | 'seeking' | 'paused' | 'over';

/** What a session has come to. */
export interface QoeFigures {
  readonly phase: QoePhase;
  readonly startupMs: number | undefined;
  readonly stalls: number;
  readonly watchedMs: number;
  readonly stalledMs: number;
}

/** Time between two heartbeats unless told otherwise, milliseconds; the type keeps it what the intake expects. */
const DEFAULT_HEARTBEAT_MS: typeof HEARTBEAT_MS = 10_000;
/** Movement that shows that playback has begun although no frame is told, milliseconds. */
const FRAMELESS_START_MS = 1_000;
/** Most errors of a session: a player that fails in a loop says nothing new. */
const MAX_ERRORS = 20;

/** The state machine; time is what its inputs say, and an event's `at` is by the same clock. */
export class QoeSession {
  readonly #heartbeatMs: number;
  readonly #log = new EventLog();
  readonly #clock = new PlayClock(this.#log);
  /** While it runs, the clock tells whether the playhead moves. */
  #phase: 'idle' | 'starting' | 'running' | 'seeking' | 'paused' | 'over' = 'idle';
  #last: Sample | undefined;
  #nextHeartbeat = 0;
  #visible = true;
  #errors = 0;
  /** The request to play, moved on by the time that the page was hidden. */
  #requestedAt = 0;
  #startupMs: number | undefined;
  /** First movement of a playhead of which no frame was told. */
  #movedSince: number | undefined;
  #rendition: { readonly height: number; readonly bitrate: number | undefined } | undefined;

  constructor(options: { readonly heartbeatMs?: number | undefined } = {}) {
    this.#heartbeatMs = options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS;
  }

  /** What the session has come to. */
  figures(): QoeFigures {
    const running = this.#clock.isStalled ? 'stalled' : 'playing';
    return {
      phase: this.#phase === 'running' ? running : this.#phase,
      startupMs: this.#startupMs,
      stalls: this.#clock.stalls,
      watchedMs: this.#log.watchedMs,
      stalledMs: this.#log.stalledMs,
    };
  }

  /** Takes an input and gives the events that come of it; after `leave` there are none. */
  take(input: MediaInput): readonly BeaconEvent[] {
    if (this.#phase === 'over') {
      return [];
    }
    if (input.kind === 'frame') {
      this.#seeFrame(input.at, input.mediaTime);
      return this.#log.take();
    }
    const last = this.#last ?? input.sample;
    const sample = { ...input.sample, at: Math.max(last.at, input.sample.at) };
    this.#pass(last, sample);
    this.#react(input, sample);
    this.#beat(sample.at);
    return this.#log.take();
  }

  /** Tells the time since the last sample as what it was. */
  #pass(last: Sample, sample: Sample): void {
    this.#last = sample;
    this.#log.notice(sample);
    const moved = movedMs(last, sample);
    switch (this.#phase) {
      case 'starting':
        this.#passStarting(last, sample, moved);
        break;
      case 'running':
        if (!this.#clock.pass({ last, sample, moved, visible: this.#visible })) {
          this.#last = { ...sample, position: last.position };
        }
        break;
      case 'seeking':
        if (moved > 0) {
          this.#log.emit('seek', sample.at);
          this.#play(Math.max(last.at, sample.at - moved), sample.at);
        }
        break;
      case 'idle':
      case 'paused':
      case 'over':
    }
    this.#noticeRendition(sample);
  }

  #passStarting(last: Sample, sample: Sample, moved: number): void {
    if (!this.#visible) {
      this.#requestedAt += sample.at - last.at;
    }
    if (moved === 0) {
      return;
    }
    this.#movedSince ??= Math.max(last.at, sample.at - moved);
    if (!sample.tellsFrames || sample.at - this.#movedSince >= FRAMELESS_START_MS) {
      this.#start(this.#movedSince, sample.at);
    }
  }

  #react(input: Exclude<MediaInput, { kind: 'frame' }>, sample: Sample): void {
    const { at } = sample;
    switch (input.kind) {
      case 'tick':
        return;
      case 'play':
        this.#request(sample);
        return;
      case 'join':
        if (this.#phase === 'idle') {
          this.#begin(sample);
          this.#play(at, at);
        }
        return;
      case 'pause':
        this.#pause(at);
        return;
      case 'waiting':
        this.#clock.wait(this.#phase === 'running');
        return;
      case 'seeking':
        this.#seek(at);
        return;
      case 'hidden':
        this.#hide(at);
        return;
      case 'visible':
        this.#visible = true;
        this.#clock.beginAgain(at);
        return;
      case 'error':
        this.#fail(at, input.code, input.detail);
        return;
      case 'leave':
        this.#leave(at);
    }
  }

  #request(sample: Sample): void {
    if (this.#phase === 'idle') {
      this.#begin(sample);
      this.#requestedAt = sample.at;
      this.#movedSince = undefined;
      this.#phase = 'starting';
    } else if (this.#phase === 'paused') {
      this.#play(sample.at, sample.at);
      this.#clock.beginAgain(sample.at);
      this.#nextHeartbeat = sample.at + this.#heartbeatMs;
    }
  }

  #begin(sample: Sample): void {
    if (this.#log.isEmpty) {
      this.#log.emit('session_start', sample.at);
    }
    this.#nextHeartbeat = sample.at + this.#heartbeatMs;
  }

  /** The first frame that moves: `at` is when it came, up to `until` playback is known to have gone on. */
  #start(at: number, until: number): void {
    this.#startupMs = Math.max(0, at - this.#requestedAt);
    this.#log.emit('startup', at, { startupMs: Math.round(this.#startupMs) });
    this.#play(at, Math.max(at, until));
  }

  #seeFrame(at: number, mediaTime: number): void {
    if (!this.#clock.moves(mediaTime) || this.#last?.seeking === true) {
      return;
    }
    if (this.#phase === 'starting' && this.#visible) {
      this.#start(Math.max(at, this.#requestedAt), this.#last?.at ?? at);
    } else if (this.#phase === 'running' && this.#clock.isStalled) {
      this.#clock.resume(at);
    }
  }

  #play(from: number, until: number): void {
    this.#phase = 'running';
    this.#clock.play(from, until);
  }

  #rest(at: number, reason: string): void {
    if (this.#phase === 'running') {
      this.#clock.rest(at, reason);
    }
  }

  #hide(at: number): void {
    this.#rest(at, 'hidden');
    this.#visible = false;
    if (this.#runs()) {
      this.#flush(at);
    }
  }

  #pause(at: number): void {
    this.#rest(at, 'pause');
    this.#clock.forgetPicture();
    if (this.#phase === 'starting') {
      this.#phase = 'idle';
    } else if (this.#runs()) {
      const sought = this.#phase === 'seeking';
      this.#phase = 'paused';
      if (sought) {
        this.#log.emit('seek', at);
      } else {
        this.#flush(at);
      }
    }
  }

  /** A stall goes on through a seek, mostly the player's own to get out of it: the viewer waits all the same. */
  #seek(at: number): void {
    this.#clock.forgetPicture();
    this.#movedSince = undefined;
    if (this.#phase === 'running' && !this.#clock.isStalled) {
      this.#rest(at, 'seek');
      this.#phase = 'seeking';
    }
  }

  #fail(at: number, errorCode: string, detail: string | undefined): void {
    this.#errors += 1;
    if (this.#errors <= MAX_ERRORS && !this.#log.isEmpty) {
      const beforeStart = this.#phase === 'starting' ? { exitBeforeStart: true } : {};
      this.#log.emit('error', at, { errorCode, ...(detail === undefined ? {} : { detail }), ...beforeStart });
    }
  }

  #leave(at: number): void {
    this.#rest(at, 'leave');
    if (!this.#log.isEmpty) {
      const waited = this.#phase === 'starting' && this.#errors === 0;
      this.#log.emit('end', at, waited ? { exitBeforeStart: true } : {});
    }
    this.#phase = 'over';
  }

  #noticeRendition({ at, height, bitrate }: Sample): void {
    if (height === undefined) {
      return;
    }
    const shown = this.#rendition;
    this.#rendition = { height, bitrate };
    const changed = height !== shown?.height || bitrate !== shown.bitrate;
    if (changed && shown !== undefined && this.#runs() && this.#phase !== 'starting') {
      this.#log.emit('rendition_switch', at);
    }
  }

  /** A heartbeat is due while the viewer watches or waits, not while nothing is asked for. */
  #beat(at: number): void {
    if (this.#runs() && at >= this.#nextHeartbeat) {
      this.#flush(at);
    }
  }

  #runs(): boolean {
    return this.#phase !== 'idle' && this.#phase !== 'paused' && this.#phase !== 'over';
  }

  #flush(at: number): void {
    this.#log.emit('heartbeat', at);
    this.#nextHeartbeat = at + this.#heartbeatMs;
  }
}
