/** One life of what makes samples of one source, ffmpeg as a rule: feed bytes in, one epoch of parts published. */

import type { StreamName } from '#shared/identifiers.ts';
import { milliseconds, type Epoch, type MediaSequenceNumber } from '#shared/media-time.ts';
import type { FeedContainer } from '../ingest/media-feed.ts';
import type { Log } from '../log.ts';
import { CaptionDetector } from '../package/caption-detector.ts';
import type { FragmentEvent } from '../package/fragment-reader.ts';
import { Packager } from '../package/packager.ts';
import type { PackagerEvent } from '../package/packager-event.ts';
import type { HubLoss } from '../publish/hub-loss.ts';
import { ffmpegArguments } from '../transcode/arguments.ts';
import type { RenditionPlan } from '../transcode/planned-rendition.ts';
import { windowSegments } from '../dvr.ts';
import type { StreamSettings } from '../settings.ts';
import { isPassedOn, type MediaStage, type StageEnd } from './media-stage.ts';
import { Publication, type Destinations } from './publication.ts';
import { startRemux } from './remux-stage.ts';
import type { StreamTelemetry } from './stream-telemetry.ts';
import { startTranscode } from './transcode-stage.ts';

/** Where a run's epoch goes on. */
export interface RunPosition {
  readonly epoch: Epoch;
  readonly firstMsn: MediaSequenceNumber;
}

/** What a run is started with. */
export interface EncodingRunOptions {
  readonly stream: StreamName;
  readonly container: FeedContainer;
  readonly plan: RenditionPlan;
  readonly settings: Omit<StreamSettings<unknown>, 'ladder'>;
  readonly ffmpegPath: string;
  /** Known some milliseconds after the start; samples wait for it. */
  readonly position: Promise<RunPosition>;
  /** When the media that it begins with was received, Unix milliseconds; `undefined`: just now. */
  readonly firstMediaAt: number | undefined;
  readonly destinations: Destinations;
  readonly telemetry: StreamTelemetry;
  readonly log: Log;
  readonly now: () => number;
}

/** Why a run is over. Everything that its stage gave was published before. */
export type RunEnd =
  /** It was told to finish, and did. */
  | { readonly kind: 'finished' }
  | { readonly kind: 'failed'; readonly detail: string }
  /** The source's clock jumped. */
  | { readonly kind: 'timeline-break' }
  | { readonly kind: 'hub-lost'; readonly loss: HubLoss };

/** A run of a stage with its packager; over when {@link EncodingRun.done} resolves. */
export class EncodingRun {
  /** Resolves when the stage is over and all it gave is published; never rejects. */
  readonly done: Promise<RunEnd>;
  /** Milliseconds of `performance.now`: a clock that never steps. */
  readonly startedAt: number;
  readonly #options: EncodingRunOptions;
  readonly #stage: MediaStage;
  #packager: Packager | undefined;
  #captions: CaptionDetector | undefined;
  #publication: Publication | undefined;
  #finishing = false;
  #stopped: RunEnd | undefined;

  constructor(options: EncodingRunOptions) {
    this.#options = options;
    this.startedAt = performance.now();
    this.#stage = startStage(options);
    this.done = this.#live();
  }

  /** What it makes of the source. */
  get plan(): RenditionPlan {
    return this.#options.plan;
  }

  /** The epoch, once the tracks are known. */
  get publication(): Publication | undefined {
    return this.#publication;
  }

  /** Hands over bytes; false once the run is over. */
  write(bytes: Uint8Array): Promise<boolean> {
    return this.#stage.write(bytes);
  }

  /** Ends the input: what the stage still holds is published before `done` resolves. */
  finish(): void {
    this.#finishing = true;
    this.#stage.end();
  }

  /** Ends the stage at once. */
  kill(): void {
    this.#finishing = true;
    this.#stage.kill();
  }

  async #live(): Promise<RunEnd> {
    let broken: string | undefined;
    try {
      const position = await this.#options.position;
      for await (const events of this.#stage.events) {
        for (const event of events) {
          this.#take(event, position);
        }
      }
    } catch (error) {
      broken = error instanceof Error ? error.message : String(error);
      this.#stage.kill();
    }
    const end = await this.#stage.ended;
    this.#publish(this.#packager?.flush() ?? []);
    return this.#stopped ?? this.#describeEnd(end, broken);
  }

  #take(event: FragmentEvent, position: RunPosition): void {
    if (event.kind === 'tracks') {
      this.#open(event, position);
    } else if (this.#packager !== undefined && this.#stopped === undefined) {
      if (this.#publication?.renditions.length === 0) {
        this.#captions?.take(event.trackId, event.sample);
      }
      this.#publish(this.#packager.push(event.trackId, event.sample, milliseconds(this.#options.now())));
    }
  }

  #open(event: Extract<FragmentEvent, { kind: 'tracks' }>, position: RunPosition): void {
    const { stream, settings, plan, destinations, telemetry, log, now, firstMediaAt } = this.#options;
    const { partTarget, segmentDuration, dvr } = settings;
    const { tracks } = event;
    const { epoch, firstMsn } = position;
    const captions = new CaptionDetector(tracks);
    this.#captions = captions;
    this.#packager = new Packager({
      ...{ tracks, partTarget, segmentDuration, firstMsn },
      firstSampleAt: firstMediaAt === undefined ? undefined : milliseconds(firstMediaAt),
    });
    this.#publication = new Publication({
      ...{ stream, epoch, firstMsn, plan, tracks, captions, destinations, telemetry, log, now },
      windowSegments: windowSegments(dvr, segmentDuration),
      onLost: (loss) => this.#stop({ kind: 'hub-lost', loss }),
    });
  }

  #publish(events: readonly PackagerEvent[]): void {
    this.#publication?.publish(events);
    if (events.some((event) => event.kind === 'timeline-break')) {
      this.#stop({ kind: 'timeline-break' });
    }
  }

  #stop(end: RunEnd): void {
    this.#stopped ??= end;
    this.#stage.kill();
  }

  #describeEnd({ isStarted, detail }: StageEnd, broken: string | undefined): RunEnd {
    if (broken !== undefined) {
      return { kind: 'failed', detail: `${broken} (${detail})` };
    }
    return this.#finishing && isStarted ? { kind: 'finished' } : { kind: 'failed', detail };
  }
}

/** ffmpeg costs a process and the time of a frame: what is passed on as it came goes without. */
function startStage({ container, plan, settings, ffmpegPath, log }: EncodingRunOptions): MediaStage {
  if (isPassedOn(container, plan)) {
    return startRemux(plan.renditions.map(({ kind }, index) => ({ kind, id: index + 1 })));
  }
  return startTranscode({
    ffmpegPath,
    arguments: ffmpegArguments({ container, plan, segmentDuration: settings.segmentDuration }),
    tracks: plan.renditions.length,
    log,
  });
}
