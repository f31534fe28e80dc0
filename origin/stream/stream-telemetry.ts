/** What is measured of one stream while it runs: its input, how fast it is encoded, how late its parts are. */

import type { PublishUpdate } from '#shared/wire/publish.ts';
import { InputMeter, type InputMeasure } from '../ingest/input-meter.ts';
import type { FeedContainer, FeedEnd, FeedEvent } from '../ingest/media-feed.ts';

/** How late parts were announced, milliseconds after the end of their media. */
export interface PartTiming {
  readonly parts: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly maxMs: number;
}

/** Everything measured of a stream. */
export interface StreamMeasure {
  /** `undefined` before the first media of a feed. */
  readonly input: InputMeasure | undefined;
  /** Media seconds that came out of the encoder per second; `undefined` until ten seconds have passed. */
  readonly encoderSpeed: number | undefined;
  /** Over the last ten seconds; `undefined` when no part was announced in that time. */
  readonly partTiming: PartTiming | undefined;
  readonly mediaSeconds: number;
}

/** A part as it is announced to the hub. */
export type PublishedPart = Omit<Extract<PublishUpdate, { kind: 'part' }>, 'seq' | 'kind'>;

/** What is looked back at, milliseconds. */
const WINDOW_MS = 10_000;
/** Times kept: ten seconds of thirteen renditions with five parts a second each, and room. */
const MAX_TIMES = 1_000;

/** Told by a stream's pipeline, asked by the control API; times are Unix milliseconds. */
export class StreamTelemetry {
  readonly #now: () => number;
  readonly #onPart: (latenessMs: number) => void;
  #meter: InputMeter | undefined;
  #leading: string | undefined;
  #firstPartAt: number | undefined;
  #mediaSeconds = 0;
  #published: { readonly at: number; readonly seconds: number }[] = [];
  #announced: { readonly at: number; readonly latenessMs: number }[] = [];
  #lastEnd: FeedEnd | undefined;

  /** `onPart` gets how late each part was announced, milliseconds. */
  constructor(now: () => number, onPart: (latenessMs: number) => void = () => undefined) {
    this.#now = now;
    this.#onPart = onPart;
  }

  /** How the newest feed that ended did so. */
  get lastEnd(): FeedEnd | undefined {
    return this.#lastEnd;
  }

  /** A feed begins. */
  feedStarted(container: FeedContainer): void {
    this.#meter = new InputMeter(container);
    this.#lastEnd = undefined;
  }

  /** Media of the feed was read. */
  mediaRead(event: Extract<FeedEvent, { kind: 'media' }>): void {
    this.#meter?.add(event, this.#now());
  }

  /** The feed is over. */
  feedEnded(end: FeedEnd): void {
    this.#meter = undefined;
    this.#lastEnd = end;
  }

  /** A part came out of the encoder. */
  partPublished(part: Pick<PublishedPart, 'rendition' | 'duration'>): void {
    this.#leading ??= part.rendition;
    if (this.#leading !== part.rendition) {
      return;
    }
    const at = this.#now();
    this.#firstPartAt ??= at;
    this.#mediaSeconds += part.duration;
    this.#published = [...this.#recent(this.#published), { at, seconds: part.duration }];
  }

  /** The hub has a part: from now on it is in the playlist. */
  partAnnounced({ programDateTime, duration }: Pick<PublishedPart, 'programDateTime' | 'duration'>): void {
    const at = this.#now();
    const latenessMs = Math.max(0, at - (programDateTime + duration * 1_000));
    this.#announced.push({ at, latenessMs });
    if (this.#announced.length > MAX_TIMES) {
      this.#announced = this.#recent(this.#announced).slice(-MAX_TIMES / 2);
    }
    this.#onPart(latenessMs);
  }

  /** What is measured right now. */
  measure(): StreamMeasure {
    const now = this.#now();
    const isFull = this.#firstPartAt !== undefined && now - this.#firstPartAt > WINDOW_MS;
    const seconds = this.#recent(this.#published).reduce((sum, part) => sum + part.seconds, 0);
    return {
      input: this.#meter?.measure(now),
      encoderSpeed: isFull ? Math.round((seconds * 100_000) / WINDOW_MS) / 100 : undefined,
      partTiming: timing(this.#recent(this.#announced).map(({ latenessMs }) => latenessMs)),
      mediaSeconds: Math.round(this.#mediaSeconds * 1_000) / 1_000,
    };
  }

  #recent<T extends { readonly at: number }>(entries: readonly T[]): T[] {
    const now = this.#now();
    return entries.filter(({ at }) => now - at < WINDOW_MS);
  }
}

function timing(lateness: readonly number[]): PartTiming | undefined {
  if (lateness.length === 0) {
    return undefined;
  }
  const sorted = lateness.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? 0);
  return { parts: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95), maxMs: at(1) };
}
