/** One rendition's samples on their way into parts and segments. */

import {
  mediaSequenceNumber,
  partIndex,
  ticks,
  ticksToSeconds,
  type MediaSequenceNumber,
  type Milliseconds,
  type Seconds,
} from '#shared/media-time.ts';
import { FrameCadence } from './frame-cadence.ts';
import { compareInstants, laterInstant, secondsBetween, type Instant } from './instant.ts';
import type { PackagerEvent } from './packager-event.ts';
import { writePart } from './part-writer.ts';
import { programDateTime, type ProgramAnchor } from './program-clock.ts';
import type { Sample, Track } from './sample.ts';

/** What is fixed for a run before its first part. */
export interface RunSettings {
  readonly partTarget: Seconds;
  readonly anchor: ProgramAnchor;
}

/** The segment that is being filled. */
interface OpenSegment {
  readonly firstDecodeTime: number;
  /** Composition offset of its first sample: what its decode times lie before the presentation by. */
  readonly offset: number;
  /** No sample is reordered so far, so presentation follows decode time. */
  inOrder: boolean;
  parts: number;
  sum: number;
}

/** A rendition: where it is, and the part and segment that it fills. Deciding where segments end is not its job. */
export class Rendition {
  readonly track: Track;
  readonly #settings: RunSettings;
  readonly #cadence = new FrameCadence();
  readonly #targetTicks: number;
  #msn: number;
  #sequence = 0;
  #segment: OpenSegment | undefined;
  #part: Sample[] = [];
  #partSum = 0;
  #position: Instant | undefined;

  constructor(track: Track, settings: RunSettings, firstMsn: MediaSequenceNumber) {
    this.track = track;
    this.#settings = settings;
    this.#msn = firstMsn;
    // Rounded down but for the float's own error, so that a whole number of ticks stays whole.
    this.#targetTicks = Math.floor(settings.partTarget * track.timescale + 1e-6);
  }

  /** The segment that the next sample goes into unless it reaches its end. */
  get msn(): number {
    return this.#msn;
  }

  /** End of the latest presented sample so far, `undefined` before the first. */
  get position(): Instant | undefined {
    return this.#position;
  }

  /** Whether the segment has samples. */
  get hasContent(): boolean {
    return this.#segment !== undefined;
  }

  /** Duration of the last frame. */
  get lastDuration(): Seconds {
    return ticksToSeconds(ticks(this.#cadence.last), this.track.timescale);
  }

  /** What the segment would last with this sample in it, in decode time; 0 for its first. */
  extentWith(sample: Sample): Seconds {
    const from = this.#segment?.firstDecodeTime;
    const extent = from === undefined ? 0 : sample.decodeTime + sample.duration - from;
    return ticksToSeconds(ticks(extent), this.track.timescale);
  }

  /** Whether a sample belongs behind a boundary: a picture from half a frame before it, audio that reaches past it. */
  reaches(sample: Sample, boundary: Instant): boolean {
    const start = sample.decodeTime + sample.compositionOffset;
    if (this.track.kind === 'audio') {
      return compareInstants(this.#at(start + sample.duration), boundary) > 0;
    }
    return compareInstants(this.#halfAt(2 * start + sample.duration), boundary) >= 0;
  }

  /** Whether the segment is known to be full up to a boundary before the sample behind it has come. */
  isFilledUpTo(boundary: Instant): boolean {
    if (this.#segment === undefined || this.#position === undefined || !this.#segment.inOrder) {
      return false;
    }
    const { last } = this.#cadence;
    return this.track.kind === 'audio'
      ? compareInstants(this.#at(this.#position.ticks + last), boundary) > 0
      : compareInstants(this.#halfAt(2 * this.#position.ticks + last), boundary) >= 0;
  }

  /** Adds a sample; returns the parts that this completes. */
  append(sample: Sample): readonly PackagerEvent[] {
    const events = this.#joinToPart(sample);
    this.#segment ??= {
      firstDecodeTime: sample.decodeTime,
      offset: sample.compositionOffset,
      inOrder: true,
      parts: 0,
      sum: 0,
    };
    this.#segment.inOrder &&= sample.compositionOffset === this.#segment.offset;
    this.#part.push(sample);
    this.#partSum += sample.duration;
    this.#cadence.add(sample.duration);
    const end = this.#at(sample.decodeTime + sample.compositionOffset + sample.duration);
    this.#position = laterInstant(end, this.#position);
    if (this.#cadence.isFull({ frames: this.#part.length, sum: this.#partSum }, this.#targetTicks)) {
      events.push(...this.closePart());
    }
    return events;
  }

  /** Closes the open part, if there is one. */
  closePart(): readonly PackagerEvent[] {
    const [first] = this.#part;
    const segment = this.#segment;
    if (first === undefined || segment === undefined) {
      return [];
    }
    this.#sequence += 1;
    const event: PackagerEvent = {
      kind: 'part',
      trackId: this.track.id,
      msn: mediaSequenceNumber(this.#msn),
      part: partIndex(segment.parts),
      duration: ticksToSeconds(ticks(this.#partSum), this.track.timescale),
      independent: first.sync,
      programDateTime: this.#dateOf(this.#at(first.decodeTime + segment.offset)),
      bytes: writePart({ samples: this.#part, sequence: this.#sequence }),
    };
    segment.parts += 1;
    segment.sum += this.#partSum;
    this.#part = [];
    this.#partSum = 0;
    return [event];
  }

  /** Ends the segment, which lasts from `start` to `end` for all: a gap where this rendition has nothing. */
  finishSegment(start: Instant, end: Instant): readonly PackagerEvent[] {
    const events = [...this.closePart()];
    const id = { trackId: this.track.id, msn: mediaSequenceNumber(this.#msn) };
    if (this.#segment === undefined) {
      const startsAt = this.#dateOf(start);
      events.push({ kind: 'gap', ...id, duration: secondsBetween(start, end), programDateTime: startsAt });
    } else {
      const duration = ticksToSeconds(ticks(this.#segment.sum), this.track.timescale);
      events.push({ kind: 'segment', ...id, parts: this.#segment.parts, duration });
    }
    this.#segment = undefined;
    this.#msn += 1;
    return events;
  }

  /**
   * Fits the open part to a sample that follows: closes it where the sample would exceed PART-TARGET or comes
   * after a hole, and corrects the last duration where the decode time shows that it was a tick or two off.
   */
  #joinToPart(sample: Sample): PackagerEvent[] {
    const last = this.#part.at(-1);
    if (last === undefined) {
      return [];
    }
    const real = sample.decodeTime - last.decodeTime;
    const correction = real - last.duration;
    const correctable = Math.abs(correction) <= last.duration / 2;
    if (!correctable || this.#partSum + correction + sample.duration > this.#targetTicks) {
      return [...this.closePart()];
    }
    if (correction !== 0) {
      this.#part[this.#part.length - 1] = { ...last, duration: ticks(real) };
      this.#partSum += correction;
    }
    return [];
  }

  #dateOf(instant: Instant): Milliseconds {
    return programDateTime(this.#settings.anchor, instant, this.track.kind);
  }

  #at(value: number): Instant {
    return { ticks: value, timescale: this.track.timescale };
  }

  /** An instant given in half ticks. */
  #halfAt(value: number): Instant {
    return { ticks: value / 2, timescale: this.track.timescale };
  }
}
