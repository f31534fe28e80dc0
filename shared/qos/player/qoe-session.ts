/**
 * One playback session as a state machine: media inputs with their times go in, the events of a beacon come out.
 *
 * A stall is a playhead that stands although it should move: after the first frame, not paused, not on the way to
 * a position that was asked for, and on a visible page. It begins at the instant at which the playhead stopped and
 * ends when it moves again; both are worked out from how far the playhead has come, so they are more exact than
 * the distance between two inputs.
 */

import type { BeaconEvent, HEARTBEAT_MS, PlayerEvent } from '../beacon.ts';
import type { MediaInput, Sample } from './media-input.ts';
import { Tally } from './tally.ts';

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
/** A playhead that stands for less is a reading between two of its steps, milliseconds. */
const STEP_MS = 60;
/** Standing after `waiting` beyond this is a stall, milliseconds: less is no more than a frame or two. */
const STALL_AFTER_WAITING_MS = 100;
/** Standing without `waiting` beyond this is a stall, milliseconds: elements stand so long at a gap. */
const STALL_AFTER_MS = 500;
/** Time that a decoder gets to begin again after a pause or a hidden page before it counts, milliseconds. */
const RESUME_MS = 1_000;
/** Longer without an input, the page was suspended and nobody was waiting in front of it, milliseconds. */
const SUSPENDED_MS = 5_000;
/** Further than this beyond the time that has passed, the playhead jumped rather than moved, milliseconds. */
const JUMP_MS = 250;
/** Movement that shows that playback has begun although no frame is told, milliseconds. */
const FRAMELESS_START_MS = 1_000;
/** Most errors of a session: a player that fails in a loop says nothing new. */
const MAX_ERRORS = 20;
/** Less is no movement yet, milliseconds: readings of a standing playhead differ by so much. */
const MOVEMENT_MS = 20;
/** The most that is believed of each fact, as the intake does; latency and buffer beyond a day are a wrong clock. */
const MOST = {
  bitrate: 10_000_000_000,
  height: 16_384,
  latencyMs: 86_400_000,
  bufferMs: 86_400_000,
  playedRate: 16,
} as const;

/** The state machine; time is what its inputs say, and an event's `at` is by the same clock. */
export class QoeSession {
  readonly #heartbeatMs: number;
  readonly #tally = new Tally();
  #phase: QoePhase = 'idle';
  #events: BeaconEvent[] = [];
  #sequence = 0;
  #last: Sample | undefined;
  /** When the playhead came to where it is. */
  #stoppedAt = 0;
  /** Up to when time has been told as watched or stalled. */
  #settledAt = 0;
  #lastEventAt = 0;
  #nextHeartbeat = 0;
  #visible = true;
  #waiting = false;
  /** Playback begins again: nothing has moved since. */
  #resuming = false;
  #errors = 0;
  /** The request to play, moved on by the time that the page was hidden. */
  #requestedAt = 0;
  #startupMs: number | undefined;
  /** First movement of a playhead of which no frame was told. */
  #movedSince: number | undefined;
  #frame: number | undefined;
  #rendition: { readonly height: number; readonly bitrate: number | undefined } | undefined;
  #stalls = 0;
  #watchedMs = 0;
  #stalledMs = 0;

  constructor(options: { readonly heartbeatMs?: number | undefined } = {}) {
    this.#heartbeatMs = options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS;
  }

  /** What the session has come to. */
  figures(): QoeFigures {
    return {
      phase: this.#phase,
      startupMs: this.#startupMs,
      stalls: this.#stalls,
      watchedMs: this.#watchedMs,
      stalledMs: this.#stalledMs,
    };
  }

  /** Takes an input and gives the events that come of it; after `leave` there are none. */
  take(input: MediaInput): readonly BeaconEvent[] {
    this.#events = [];
    if (this.#phase === 'over') {
      return [];
    }
    if (input.kind === 'frame') {
      this.#seeFrame(input.at, input.mediaTime);
      return this.#events;
    }
    const last = this.#last ?? input.sample;
    const sample = { ...input.sample, at: Math.max(last.at, input.sample.at) };
    this.#pass(last, sample);
    this.#react(input, sample);
    this.#beat(sample.at);
    return this.#events;
  }

  /** Tells the time since the last sample as what it was. */
  #pass(last: Sample, sample: Sample): void {
    this.#last = sample;
    if (this.#sequence > 0) {
      this.#tally.count(sample);
    } else {
      this.#tally.begin(sample);
    }
    const moved = movedMs(last, sample);
    switch (this.#phase) {
      case 'starting':
        this.#passStarting(last, sample, moved);
        break;
      case 'playing':
        this.#passPlaying(last, sample, moved);
        break;
      case 'stalled':
        this.#passStalled(last, sample, moved);
        break;
      case 'seeking':
        if (moved > 0) {
          this.#emit('seek', sample.at);
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

  #passPlaying(last: Sample, sample: Sample, moved: number): void {
    const { at } = sample;
    if (!this.#visible || last.rate <= 0 || at - last.at > SUSPENDED_MS) {
      this.#watch(Math.min(at - last.at, moved));
      this.#settledAt = at;
      this.#stoppedAt = at;
      return;
    }
    if (moved === 0) {
      this.#stallAfter(at);
      return;
    }
    const resumedAt = Math.max(last.at, at - moved);
    const stood = this.#stoppedAt < last.at;
    if (stood && resumedAt - this.#stoppedAt >= this.#patience()) {
      this.#stall();
      this.#endStall(resumedAt);
    }
    const reached = stood ? at : Math.min(at, Math.max(last.at, this.#stoppedAt) + moved);
    this.#play(this.#settledAt, at - reached > STEP_MS ? reached : at);
  }

  #passStalled(last: Sample, sample: Sample, moved: number): void {
    if (moved >= MOVEMENT_MS) {
      const resumedAt = Math.max(this.#settledAt, sample.at - moved);
      this.#endStall(resumedAt);
      this.#play(resumedAt, sample.at);
      return;
    }
    if (moved > 0) {
      this.#last = { ...sample, position: last.position };
    }
    if (sample.at - last.at <= SUSPENDED_MS) {
      this.#standStill(sample.at - this.#settledAt);
    }
    this.#settledAt = sample.at;
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
        this.#waiting = this.#phase === 'playing';
        return;
      case 'seeking':
        this.#seek(at);
        return;
      case 'hidden':
        this.#rest(at, 'hidden');
        this.#visible = false;
        if (this.#runs()) {
          this.#flush(at);
        }
        return;
      case 'visible':
        this.#visible = true;
        this.#stoppedAt = at;
        this.#resuming = true;
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
      this.#resuming = true;
      this.#nextHeartbeat = sample.at + this.#heartbeatMs;
    }
  }

  #begin(sample: Sample): void {
    if (this.#sequence === 0) {
      this.#emit('session_start', sample.at);
    }
    this.#nextHeartbeat = sample.at + this.#heartbeatMs;
  }

  /** The first frame that moves: `at` is when it came, up to `until` playback is known to have gone on. */
  #start(at: number, until: number): void {
    this.#startupMs = Math.max(0, at - this.#requestedAt);
    this.#emit('startup', at, { startupMs: Math.round(this.#startupMs) });
    this.#play(at, Math.max(at, until));
  }

  #seeFrame(at: number, mediaTime: number): void {
    const before = this.#frame;
    this.#frame = mediaTime;
    if (before === undefined || mediaTime <= before || this.#last?.seeking === true) {
      return;
    }
    if (this.#phase === 'starting' && this.#visible) {
      this.#start(Math.max(at, this.#requestedAt), this.#last?.at ?? at);
    } else if (this.#phase === 'stalled') {
      const resumedAt = Math.max(at, this.#settledAt);
      this.#endStall(resumedAt);
      this.#play(resumedAt, resumedAt);
    }
  }

  /** Watched from one instant to another, at which the playhead is where it is now. */
  #play(from: number, until: number): void {
    this.#phase = 'playing';
    this.#waiting = false;
    this.#resuming = false;
    this.#watch(until - from);
    this.#settledAt = until;
    this.#stoppedAt = until;
  }

  #patience(): number {
    if (this.#resuming) {
      return RESUME_MS;
    }
    return this.#waiting ? STALL_AFTER_WAITING_MS : STALL_AFTER_MS;
  }

  #stallAfter(at: number): void {
    if (at - this.#stoppedAt >= this.#patience()) {
      this.#stall();
      this.#standStill(at - this.#settledAt);
      this.#settledAt = at;
    }
  }

  #stall(): void {
    this.#watch(this.#stoppedAt - this.#settledAt);
    this.#settledAt = this.#stoppedAt;
    this.#phase = 'stalled';
    this.#frame = undefined;
    this.#stalls += 1;
    this.#emit('stall_begin', this.#stoppedAt);
  }

  #endStall(at: number, detail?: string): void {
    this.#standStill(at - this.#settledAt);
    this.#settledAt = at;
    this.#emit('stall_end', at, detail === undefined ? {} : { detail });
  }

  /** Ends what runs: a stall that something else takes over from, or the time watched. */
  #rest(at: number, reason: string): void {
    if (this.#phase === 'stalled') {
      this.#endStall(at, reason);
      this.#play(at, at);
    } else if (this.#phase === 'playing') {
      this.#play(this.#settledAt, at - this.#stoppedAt < this.#patience() ? at : this.#stoppedAt);
    }
  }

  #pause(at: number): void {
    this.#rest(at, 'pause');
    this.#frame = undefined;
    if (this.#phase === 'starting') {
      this.#phase = 'idle';
    } else if (this.#runs()) {
      const sought = this.#phase === 'seeking';
      this.#phase = 'paused';
      if (sought) {
        this.#emit('seek', at);
      } else {
        this.#flush(at);
      }
    }
  }

  /** A stall goes on through a seek, mostly the player's own to get out of it: the viewer waits all the same. */
  #seek(at: number): void {
    this.#frame = undefined;
    this.#movedSince = undefined;
    if (this.#phase === 'playing') {
      this.#rest(at, 'seek');
      this.#phase = 'seeking';
    }
  }

  #fail(at: number, errorCode: string, detail: string | undefined): void {
    this.#errors += 1;
    if (this.#errors <= MAX_ERRORS && this.#sequence > 0) {
      const beforeStart = this.#phase === 'starting' ? { exitBeforeStart: true } : {};
      this.#emit('error', at, { errorCode, ...(detail === undefined ? {} : { detail }), ...beforeStart });
    }
  }

  #leave(at: number): void {
    this.#rest(at, 'leave');
    if (this.#sequence > 0) {
      const waited = this.#phase === 'starting' && this.#errors === 0;
      this.#emit('end', at, waited ? { exitBeforeStart: true } : {});
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
      this.#emit('rendition_switch', at);
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
    this.#emit('heartbeat', at);
    this.#nextHeartbeat = at + this.#heartbeatMs;
  }

  #watch(milliseconds: number): void {
    this.#tally.add('watchedMs', milliseconds);
    this.#watchedMs += Math.max(0, milliseconds);
  }

  #standStill(milliseconds: number): void {
    this.#tally.add('stalledMs', milliseconds);
    this.#stalledMs += Math.max(0, milliseconds);
  }

  #emit(event: PlayerEvent, at: number, facts: Partial<BeaconEvent> = {}): void {
    this.#lastEventAt = Math.max(at, this.#lastEventAt);
    this.#events.push({
      event,
      at: this.#lastEventAt,
      seq: this.#sequence,
      ...this.#tally.drain(),
      ...(this.#last === undefined ? {} : snapshot(this.#last)),
      ...facts,
    });
    this.#sequence += 1;
  }
}

/** How long playback took for the way between two samples, milliseconds; 0 where it stood or jumped. */
function movedMs(last: Sample, sample: Sample): number {
  const moved = ((sample.position - last.position) / last.rate) * 1000;
  const isMovement = moved > 0 && moved <= sample.at - last.at + JUMP_MS && !sample.seeking;
  return isMovement ? moved : 0;
}

/** What an event says of the state of playback: what is known and can be true. */
function snapshot(sample: Sample): Partial<BeaconEvent> {
  const facts: Partial<Record<keyof typeof MOST, number>> = {};
  for (const key of ['bitrate', 'height', 'latencyMs', 'bufferMs'] as const) {
    const value = sample[key];
    if (value !== undefined && value >= 0 && value <= MOST[key]) {
      facts[key] = Math.round(value);
    }
  }
  return { ...facts, playedRate: Math.min(MOST.playedRate, Math.max(0, sample.rate)) };
}
