/** One life of ffmpeg for one source: feed bytes in, one epoch of parts published. */

import type { StreamName } from '#shared/identifiers.ts';
import { milliseconds, type Epoch, type MediaSequenceNumber } from '#shared/media-time.ts';
import type { FeedContainer } from '../ingest/media-feed.ts';
import type { Log } from '../log.ts';
import { CaptionDetector } from '../package/caption-detector.ts';
import { FragmentReader, type FragmentEvent } from '../package/fragment-reader.ts';
import { Packager } from '../package/packager.ts';
import type { PackagerEvent } from '../package/packager-event.ts';
import type { HubLoss } from '../publish/hub-loss.ts';
import { ffmpegArguments } from '../transcode/arguments.ts';
import { startTranscoder, type Transcoder, type TranscoderExit } from '../transcode/ffmpeg-process.ts';
import type { RenditionPlan } from '../transcode/planned-rendition.ts';
import { describeExit } from '../transcode/supervisor.ts';
import { windowSegments } from '../dvr.ts';
import type { StreamSettings } from '../settings.ts';
import { Publication, type Destinations } from './publication.ts';
import type { StreamTelemetry } from './stream-telemetry.ts';

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
  /** Known some milliseconds after the start; ffmpeg's output waits for it. */
  readonly position: Promise<RunPosition>;
  /** When the media that it begins with was received, Unix milliseconds; `undefined`: just now. */
  readonly firstMediaAt: number | undefined;
  readonly destinations: Destinations;
  readonly telemetry: StreamTelemetry;
  readonly log: Log;
  readonly now: () => number;
}

/** Why a run is over. Everything that ffmpeg gave was published before. */
export type RunEnd =
  /** It was told to finish, and did. */
  | { readonly kind: 'finished' }
  | { readonly kind: 'failed'; readonly detail: string }
  /** The source's clock jumped. */
  | { readonly kind: 'timeline-break' }
  | { readonly kind: 'hub-lost'; readonly loss: HubLoss };

/** A run of ffmpeg with its packager; over when {@link EncodingRun.done} resolves. */
export class EncodingRun {
  /** Resolves when ffmpeg is gone and all it gave is published; never rejects. */
  readonly done: Promise<RunEnd>;
  /** Milliseconds of `performance.now`: a clock that never steps. */
  readonly startedAt: number;
  readonly #options: EncodingRunOptions;
  readonly #transcoder: Transcoder;
  readonly #reader = new FragmentReader();
  #packager: Packager | undefined;
  #captions: CaptionDetector | undefined;
  #publication: Publication | undefined;
  #finishing = false;
  #stopped: RunEnd | undefined;

  constructor(options: EncodingRunOptions) {
    this.#options = options;
    this.startedAt = performance.now();
    const { container, plan, settings, ffmpegPath, log } = options;
    this.#transcoder = startTranscoder({
      ffmpegPath,
      arguments: ffmpegArguments({ container, plan, segmentDuration: settings.segmentDuration }),
      tracks: plan.renditions.length,
      log,
    });
    this.done = this.#live();
  }

  /** What it makes of the source. */
  get plan(): RenditionPlan {
    return this.#options.plan;
  }

  /** The epoch, once ffmpeg's tracks are known. */
  get publication(): Publication | undefined {
    return this.#publication;
  }

  /** Hands over bytes; false once the run is over. */
  write(bytes: Uint8Array): Promise<boolean> {
    return this.#transcoder.write(bytes);
  }

  /** Ends the input: what ffmpeg still holds is published before `done` resolves. */
  finish(): void {
    this.#finishing = true;
    this.#transcoder.end();
  }

  /** Ends ffmpeg at once. */
  kill(): void {
    this.#finishing = true;
    this.#transcoder.kill();
  }

  async #live(): Promise<RunEnd> {
    let broken: string | undefined;
    try {
      const position = await this.#options.position;
      for await (const chunk of this.#transcoder.output) {
        for (const event of this.#reader.push(chunk)) {
          this.#take(event, position);
        }
      }
    } catch (error) {
      broken = error instanceof Error ? error.message : String(error);
      this.#transcoder.kill();
    }
    const exit = await this.#transcoder.exited;
    this.#publish(this.#packager?.flush() ?? []);
    return this.#stopped ?? this.#describeEnd(exit, broken);
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
    this.#transcoder.kill();
  }

  #describeEnd(exit: TranscoderExit, broken: string | undefined): RunEnd {
    if (broken !== undefined) {
      return { kind: 'failed', detail: `${broken} (${describeExit(exit)})` };
    }
    return this.#finishing && exit.kind !== 'spawn-failed'
      ? { kind: 'finished' }
      : { kind: 'failed', detail: describeExit(exit) };
  }
}
