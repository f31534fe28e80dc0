/** The cutter: samples of all renditions in, parts and segments out. A state machine without clock or I/O. */

import {
  milliseconds,
  type MediaSequenceNumber,
  type Milliseconds,
  type Seconds,
} from '#shared/media-time.ts';
import { chooseTargetDuration } from './boundary-rule.ts';
import { earliestInstant, type Instant } from './instant.ts';
import type { PackagerEvent } from './packager-event.ts';
import { choosePartTarget, estimateFrameRate, measureFrames } from './part-target.ts';
import { earliestAnchor, wholeAnchor, type ProgramAnchor } from './program-clock.ts';
import { RunCutter } from './run-cutter.ts';
import type { Sample, Track } from './sample.ts';
import { TimelineGuard } from './timeline-guard.ts';
import { WarningLimit } from './warning-limit.ts';

/** How a run is cut. */
export interface PackagerOptions {
  /** As announced by the `FragmentReader`. */
  readonly tracks: readonly Track[];
  /** PART-TARGET as configured. */
  readonly partTarget: Seconds;
  readonly segmentDuration: Seconds;
  /** MSN of the first segment. */
  readonly firstMsn: MediaSequenceNumber;
  /** When the first frame was received, Unix milliseconds, where it was kept for a while before. */
  readonly firstSampleAt?: Milliseconds | undefined;
}

/** Frames of each video track that are seen before PART-TARGET is chosen. */
const START_FRAMES = 4;
/** Most media that is held back until then, seconds: a track that does not come does not keep the others. */
const START_HOLD_SECONDS = 1;
/**
 * Most media of a burst that is held back, seconds. An encoder piles up frames while it connects and sends them all
 * at once; only after them a frame's arrival tells when it was taken. More than this is a file rather than a camera.
 */
const BURST_HOLD_SECONDS = 3;
/** Frames that have to come at their own pace before a burst is over: one late frame may be a busy machine's. */
const STEADY_FRAMES = 4;
/** Share of their duration that they take at least. */
const STEADY_SHARE = 0.75;

interface Arrival {
  readonly track: Track;
  readonly sample: Sample;
  /** The wall clock of its arrival. */
  readonly now: Milliseconds;
}

/**
 * One run of the packager, from ffmpeg's start to its end or to a break in the source's clock. `push` and `flush`
 * return what is to be published, in order. All MSNs start at the same media instant in every rendition; a part
 * is returned as soon as one frame more would not fit.
 */
export class Packager {
  readonly #options: PackagerOptions;
  readonly #tracks: ReadonlyMap<number, Track>;
  readonly #guard = new TimelineGuard();
  readonly #warnings = new WarningLimit();
  #held: Arrival[] = [];
  #cutter: RunCutter | undefined;
  #ended = false;

  constructor(options: PackagerOptions) {
    this.#options = options;
    this.#tracks = new Map(options.tracks.map((track) => [track.id, track]));
  }

  /** MSN with which a following run goes on, right after `flush` or a `timeline-break`. */
  get nextMsn(): MediaSequenceNumber {
    return this.#cutter?.nextMsn ?? this.#options.firstMsn;
  }

  /**
   * Takes the next sample of a track, in decode order, with the wall clock of its arrival. After a
   * `timeline-break` or `flush` nothing more is taken: a new packager begins at `nextMsn`. Throws `RangeError`
   * on a track that is not among the options'.
   */
  push(trackId: number, sample: Sample, now: Milliseconds): readonly PackagerEvent[] {
    const track = this.#tracks.get(trackId);
    if (track === undefined) {
      throw new RangeError(`track ${trackId} is none of this run`);
    }
    if (this.#ended) {
      return [];
    }
    const checked = this.#guard.withPlausibleDuration(track, sample, this.#options.segmentDuration);
    const timelineBreak = this.#guard.check(track, checked);
    if (timelineBreak !== undefined) {
      return [...this.flush(), { kind: 'timeline-break', trackId, ...timelineBreak }];
    }
    // ffmpeg gives the last frame of a run no duration; that is nothing to warn of.
    const isLong = checked !== sample && sample.duration > 0;
    const warnings = isLong ? this.#warnDuration(track, sample, now) : [];
    const arrival = { track, sample: checked, now };
    if (this.#cutter !== undefined) {
      return [...warnings, ...this.#cutter.push(arrival)];
    }
    this.#held.push(arrival);
    return this.#isReady(arrival) ? [...warnings, ...this.#start()] : warnings;
  }

  /** Ends the run: what is open becomes parts and segments, the same last MSN in every rendition. */
  flush(): readonly PackagerEvent[] {
    if (this.#ended) {
      return [];
    }
    this.#ended = true;
    const events: PackagerEvent[] = [];
    if (this.#cutter === undefined) {
      events.push(...this.#start());
    }
    events.push(...(this.#cutter?.flush() ?? []));
    return events;
  }

  /**
   * Whether enough is known: some frames of each video track (or audio, where it is alone), or a second is held;
   * and the burst of a connecting encoder is over.
   */
  #isReady(latest: Arrival): boolean {
    const heldSeconds = this.#durations(latest.track).reduce((sum, duration) => sum + duration, 0);
    const deciding = decidingTracks([...this.#tracks.values()]);
    const isKnown =
      heldSeconds >= START_HOLD_SECONDS ||
      deciding.every((track) => this.#durations(track).length >= START_FRAMES);
    return isKnown && (heldSeconds >= BURST_HOLD_SECONDS || this.#isSteady(latest));
  }

  #isSteady({ track, now }: Arrival): boolean {
    const own = this.#held.filter((arrival) => arrival.track === track);
    const before = own.at(-1 - STEADY_FRAMES);
    const media = own.slice(-STEADY_FRAMES).reduce((sum, { sample }) => sum + sample.duration, 0);
    return before !== undefined && now - before.now >= (media / track.timescale) * 1000 * STEADY_SHARE;
  }

  #start(): readonly PackagerEvent[] {
    const anchor = earliestAnchor([...this.#keptAnchor(), ...this.#held.map(anchorOf)]);
    if (anchor === undefined) {
      return [];
    }
    const { segmentDuration, firstMsn } = this.#options;
    const tracks = [...this.#tracks.values()];
    const seen = tracks.filter((track) => this.#durations(track).length > 0);
    const timings = seen.map((track) => measureFrames(this.#durations(track)));
    const partTarget = choosePartTarget(this.#options.partTarget, timings);
    const video = seen.filter((track) => track.kind === 'video');
    const frameRates = new Map(
      video.map((track) => [track.id, estimateFrameRate(measureFrames(this.#durations(track)))]),
    );
    const cutter = new RunCutter({
      tracks,
      settings: { partTarget, anchor: wholeAnchor(anchor, firstInstant(this.#held)) },
      segmentDuration,
      firstMsn,
      warnings: this.#warnings,
    });
    this.#cutter = cutter;
    const targetDuration = chooseTargetDuration(segmentDuration);
    const held = this.#held;
    this.#held = [];
    return [
      { kind: 'start', partTarget, targetDuration, frameRates },
      ...held.flatMap((arrival) => [...cutter.push(arrival)]),
    ];
  }

  #keptAnchor(): readonly ProgramAnchor[] {
    const { firstSampleAt: now } = this.#options;
    const deciding = decidingTracks([...this.#tracks.values()]);
    const first = this.#held.find(({ track }) => deciding.includes(track));
    return now === undefined || first === undefined ? [] : [anchorOf({ ...first, now })];
  }

  /** Durations of a track's held samples, seconds. */
  #durations(track: Track): readonly number[] {
    return this.#held
      .filter((arrival) => arrival.track === track)
      .map((arrival) => arrival.sample.duration / track.timescale);
  }

  #warnDuration(track: Track, sample: Sample, now: number): readonly PackagerEvent[] {
    const length = (sample.duration / track.timescale).toFixed(3);
    const detail = `a frame of ${length} s was given the duration of the one before it`;
    return this.#warnings.warn({ code: 'implausible-duration', trackId: track.id, detail }, now);
  }
}

/** Video decides; audio where it is alone. */
function decidingTracks(tracks: readonly Track[]): readonly Track[] {
  const video = tracks.filter((track) => track.kind === 'video');
  return video.length > 0 ? video : tracks;
}

/** Presentation of the earliest picture; of the earliest audio where there is no picture. */
function firstInstant(held: readonly Arrival[]): Instant {
  const pictures = held.filter(({ track }) => track.kind === 'video');
  return earliestInstant((pictures.length > 0 ? pictures : held).map(presentationOf));
}

function presentationOf({ track, sample }: Arrival): Instant {
  return { ticks: sample.decodeTime + sample.compositionOffset, timescale: track.timescale };
}

function anchorOf(arrival: Arrival): ProgramAnchor {
  const { track, sample, now } = arrival;
  return {
    instant: presentationOf(arrival),
    wallClock: milliseconds(now - (sample.duration / track.timescale) * 1000),
  };
}
