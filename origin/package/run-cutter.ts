/** Cuts all renditions of a run at the same instants, once PART-TARGET is chosen. */

import {
  mediaSequenceNumber,
  seconds,
  type MediaSequenceNumber,
  type Milliseconds,
  type Seconds,
} from '#shared/media-time.ts';
import { AudioGate } from './audio-gate.ts';
import { decideBoundary, type Boundary } from './boundary-rule.ts';
import { compareInstants, laterInstant, secondsBetween, type Instant } from './instant.ts';
import type { PackagerEvent } from './packager-event.ts';
import { Rendition, type RunSettings } from './rendition.ts';
import type { Sample, Track } from './sample.ts';
import { SegmentSchedule } from './segment-schedule.ts';
import type { WarningLimit } from './warning-limit.ts';

/** What a run starts with. */
export interface RunStart {
  readonly tracks: readonly Track[];
  /** The instant of its anchor starts the first segment. */
  readonly settings: RunSettings;
  readonly segmentDuration: Seconds;
  readonly firstMsn: MediaSequenceNumber;
  readonly warnings: WarningLimit;
}

/** A sample with the wall clock of its arrival. */
export interface TimedSample {
  readonly track: Track;
  readonly sample: Sample;
  readonly now: Milliseconds;
}

/**
 * A rendition's segment is given up once the others are more than one segment and this much past its end,
 * seconds: longer than encoders' look-ahead sets renditions apart.
 */
const MAX_LAG_SECONDS = 3;

/** What the cutter knows of a rendition beside its content. */
interface Lane {
  readonly rendition: Rendition;
  lastKeyFrame: Instant | undefined;
  /** A segment was given up: samples from before the current one are late. */
  gaveUp: boolean;
  /** Late samples were left out: nothing decodes before the next sync sample. */
  awaitsSync: boolean;
  reorderDelay: number;
}

/** The renditions of one run and their common schedule. */
export class RunCutter {
  readonly #start: RunStart;
  readonly #lanes: ReadonlyMap<number, Lane>;
  readonly #renditions: readonly Rendition[];
  readonly #schedule: SegmentSchedule;
  readonly #audio: AudioGate;
  #nextMsn: number;
  #now = 0;

  constructor(start: RunStart) {
    this.#start = start;
    this.#nextMsn = start.firstMsn;
    this.#lanes = new Map(start.tracks.map((track) => [track.id, createLane(track, start)]));
    this.#renditions = [...this.#lanes.values()].map((lane) => lane.rendition);
    this.#schedule = new SegmentSchedule(start.firstMsn, start.settings.anchor.instant);
    this.#audio = new AudioGate(start.tracks.some((track) => track.kind === 'video'));
  }

  /** MSN after the last one that has content. */
  get nextMsn(): MediaSequenceNumber {
    return mediaSequenceNumber(this.#nextMsn);
  }

  /** Takes the next sample of a track. */
  push(arrival: TimedSample): readonly PackagerEvent[] {
    this.#now = arrival.now;
    const { track, sample } = arrival;
    const events: PackagerEvent[] = [];
    if (track.kind === 'audio') {
      this.#audio.hold(track, sample);
    } else {
      events.push(...this.#assign(track, sample));
      this.#audio.videoArrived(arrival.now);
    }
    for (const audio of this.#audio.release(this.#videoFront(), arrival.now)) {
      events.push(...this.#assign(audio.track, audio.sample));
    }
    events.push(...this.#giveUpStalled());
    return events;
  }

  /** Ends all renditions at the same last MSN. */
  flush(): readonly PackagerEvent[] {
    const events = this.#audio.releaseAll().flatMap(({ track, sample }) => [...this.#assign(track, sample)]);
    const end = this.#front();
    if (end === undefined) {
      return events;
    }
    for (const rendition of this.#renditions) {
      while (rendition.msn < this.#nextMsn) {
        const start = this.#schedule.startOf(rendition.msn) ?? end;
        events.push(...rendition.finishSegment(start, this.#schedule.startOf(rendition.msn + 1) ?? end));
      }
    }
    return events;
  }

  #assign(track: Track, sample: Sample): readonly PackagerEvent[] {
    const lane = this.#lanes.get(track.id);
    if (lane === undefined) {
      return [];
    }
    const { rendition } = lane;
    const refused = this.#refuse(lane, sample);
    if (refused !== undefined) {
      return refused;
    }
    const events: PackagerEvent[] = [...this.#decide(lane, sample)];
    events.push(...this.#finishWhile(rendition, (boundary) => rendition.reaches(sample, boundary)));
    events.push(...this.#warnAbout(rendition, sample), ...rendition.append(sample));
    this.#nextMsn = Math.max(this.#nextMsn, rendition.msn + 1);
    events.push(...this.#finishFilled(rendition));
    this.#schedule.forgetBefore(Math.min(...this.#renditions.map((other) => other.msn)));
    return events;
  }

  /** Lets the rule decide where the newest segment ends, if this rendition is in it. */
  #decide(lane: Lane, sample: Sample): readonly PackagerEvent[] {
    const { rendition } = lane;
    const at: Instant = {
      ticks: sample.decodeTime + sample.compositionOffset,
      timescale: rendition.track.timescale,
    };
    const start = this.#schedule.startOf(rendition.msn);
    let boundary: Boundary | undefined;
    if (start !== undefined && rendition.msn === this.#schedule.newest) {
      lane.reorderDelay = Math.max(
        lane.reorderDelay,
        rendition.position === undefined ? 0 : secondsBetween(at, rendition.position),
      );
      boundary = decideBoundary({
        rendition,
        renditions: this.#renditions,
        sample,
        start,
        segmentDuration: this.#start.segmentDuration,
        lastKeyFrame: lane.lastKeyFrame,
        reorderDelay: seconds(lane.reorderDelay),
      });
    }
    if (sample.sync) {
      lane.lastKeyFrame = at;
    }
    if (boundary === undefined) {
      return [];
    }
    this.#schedule.add(boundary.at);
    const warnings = boundary.forced ? this.#warnForced(lane, at) : [];
    return [...warnings, ...this.#renditions.flatMap((other) => [...this.#finishFilled(other)])];
  }

  /** Ends a segment that has all its samples before the next one's first has come. */
  #finishFilled(rendition: Rendition): readonly PackagerEvent[] {
    return this.#finishWhile(rendition, (boundary) => rendition.isFilledUpTo(boundary));
  }

  #finishWhile(rendition: Rendition, isOver: (boundary: Instant) => boolean): readonly PackagerEvent[] {
    const events: PackagerEvent[] = [];
    let start = this.#schedule.startOf(rendition.msn);
    let end = this.#schedule.startOf(rendition.msn + 1);
    while (start !== undefined && end !== undefined && isOver(end)) {
      events.push(...rendition.finishSegment(start, end));
      start = end;
      end = this.#schedule.startOf(rendition.msn + 1);
    }
    return events;
  }

  /** Ends the segments of renditions that have stopped, so that all go on with the same MSN. */
  #giveUpStalled(): readonly PackagerEvent[] {
    const front = this.#front();
    if (front === undefined) {
      return [];
    }
    const lag = Math.max(MAX_LAG_SECONDS, this.#start.segmentDuration);
    const events: PackagerEvent[] = [];
    for (const lane of this.#lanes.values()) {
      const isStalled = (end: Instant): boolean => secondsBetween(end, front) > lag;
      const finished = this.#finishWhile(lane.rendition, isStalled);
      lane.gaveUp ||= finished.length > 0;
      events.push(...finished);
    }
    this.#schedule.forgetBefore(Math.min(...this.#renditions.map((other) => other.msn)));
    return events;
  }

  /** What is said instead of taking a sample that comes too late, else `undefined`. */
  #refuse(lane: Lane, sample: Sample): readonly PackagerEvent[] | undefined {
    const { track, msn } = lane.rendition;
    const end: Instant = {
      ticks: sample.decodeTime + sample.compositionOffset + sample.duration,
      timescale: track.timescale,
    };
    const start = this.#schedule.startOf(msn);
    const isEarly = start !== undefined && compareInstants(end, start) <= 0;
    if (lane.gaveUp && isEarly) {
      lane.awaitsSync = true;
      return this.#warnings(
        'late-samples-dropped',
        track,
        'a stalled rendition came back with samples too old',
      );
    }
    if (lane.awaitsSync && !sample.sync) {
      return [];
    }
    lane.gaveUp = false;
    lane.awaitsSync = false;
    if (track.kind === 'audio' && isEarly && msn === this.#start.firstMsn) {
      return this.#warnings(
        'leading-audio-dropped',
        track,
        'audio from before the first picture is left out',
      );
    }
    return undefined;
  }

  #warnAbout(rendition: Rendition, sample: Sample): readonly PackagerEvent[] {
    const { track } = rendition;
    const length = sample.duration / track.timescale;
    const { partTarget } = this.#start.settings;
    const events: PackagerEvent[] = [];
    if (length > partTarget * (1 + 1e-9)) {
      const detail = `a frame of ${length.toFixed(3)} s in parts of ${partTarget.toFixed(3)} s`;
      events.push(...this.#warnings('frame-exceeds-part-target', track, detail));
    }
    if (!sample.sync && !rendition.hasContent) {
      const detail = `segment ${rendition.msn} starts without a key frame; align the key frames of all renditions`;
      events.push(...this.#warnings('boundary-without-sync', track, detail));
    }
    return events;
  }

  #warnForced({ rendition, lastKeyFrame }: Lane, at: Instant): readonly PackagerEvent[] {
    const { segmentDuration } = this.#start;
    const waited =
      lastKeyFrame === undefined ? 'yet' : `for ${secondsBetween(lastKeyFrame, at).toFixed(2)} s`;
    const detail =
      `no key frame ${waited}, so segments of ${segmentDuration} s start without one; ` +
      `set the encoder's key-frame interval to ${segmentDuration} s or less, or do not copy its video`;
    return this.#warnings('key-frame-interval-too-long', rendition.track, detail);
  }

  #warnings(
    code: Extract<PackagerEvent, { kind: 'warning' }>['code'],
    track: Track,
    detail: string,
  ): readonly PackagerEvent[] {
    return this.#start.warnings.warn({ code, trackId: track.id, detail }, this.#now);
  }

  #videoFront(): Instant | undefined {
    return latestPosition(this.#renditions.filter((rendition) => rendition.track.kind === 'video'));
  }

  #front(): Instant | undefined {
    return latestPosition(this.#renditions);
  }
}

function createLane(track: Track, start: RunStart): Lane {
  return {
    rendition: new Rendition(track, start.settings, start.firstMsn),
    lastKeyFrame: undefined,
    gaveUp: false,
    awaitsSync: false,
    reorderDelay: 0,
  };
}

function latestPosition(renditions: readonly Rendition[]): Instant | undefined {
  return renditions.reduce<Instant | undefined>(
    (latest, { position }) => (position === undefined ? latest : laterInstant(position, latest)),
    undefined,
  );
}
