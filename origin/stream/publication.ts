/** One epoch of a stream on its way out: what the packager says becomes updates for the hub and objects. */

import type { RenditionName, StreamName } from '#shared/identifiers.ts';
import { mediaSequenceNumber, type Epoch, type MediaSequenceNumber } from '#shared/media-time.ts';
import type { PublishUpdate, RenditionDescription } from '#shared/wire/publish.ts';
import type { Log } from '../log.ts';
import type { CaptionDetector } from '../package/caption-detector.ts';
import { writeInitSegment } from '../package/init-segment.ts';
import type { PackagerEvent } from '../package/packager-event.ts';
import type { Track } from '../package/sample.ts';
import { openHubPublisher, type HubPublisher, type HubPublisherStats } from '../publish/hub-client.ts';
import type { HubLoss } from '../publish/hub-loss.ts';
import type { HttpSend } from '../publish/http-client.ts';
import type { HubPublisherName } from '../publish/publisher.ts';
import type { ObjectWriter } from '../publish/object-writer.ts';
import { StreamPublisher } from '../publish/stream-publisher.ts';
import type { StreamTelemetry } from './stream-telemetry.ts';
import type { RenditionPlan } from '../transcode/planned-rendition.ts';
import { closedCaptions, type ClosedCaptions } from './closed-captions.ts';

/** The two places that everything goes to. */
export interface Destinations {
  readonly edgeUrl: URL;
  readonly serviceToken: string;
  readonly send: HttpSend;
  readonly objects: Pick<ObjectWriter, 'write'>;
  /** This origin, as it holds the streams' leases. */
  readonly publisher?: HubPublisherName;
}

/** What an epoch is opened with. */
export interface PublicationOptions {
  readonly stream: StreamName;
  readonly epoch: Epoch;
  readonly firstMsn: MediaSequenceNumber;
  readonly windowSegments: number;
  readonly plan: RenditionPlan;
  readonly tracks: readonly Track[];
  /** Has seen the pictures that came before the first part. */
  readonly captions: CaptionDetector;
  readonly destinations: Destinations;
  readonly telemetry: StreamTelemetry;
  readonly log: Log;
  /** The hub cannot go on with this epoch. */
  readonly onLost: (loss: HubLoss) => void;
  readonly now: () => number;
}

/** Publishes one epoch; never waits. */
export class Publication {
  readonly epoch: Epoch;
  readonly #options: PublicationOptions;
  readonly #hub: HubPublisher;
  readonly #publisher: StreamPublisher;
  readonly #names: ReadonlyMap<number, RenditionName>;
  #renditions: readonly RenditionDescription[] = [];
  #nextMsn: MediaSequenceNumber;
  #lastPartAt: number | undefined;

  constructor(options: PublicationOptions) {
    const { stream, epoch, destinations, log, plan, telemetry, onLost } = options;
    this.epoch = epoch;
    this.#options = options;
    this.#nextMsn = options.firstMsn;
    this.#names = new Map(plan.renditions.map((rendition, index) => [index + 1, rendition.name]));
    const onAcknowledged = (update: PublishUpdate): void => {
      if (update.kind === 'part') {
        telemetry.partAnnounced(update);
      }
    };
    this.#hub = openHubPublisher({ ...destinations, stream, epoch, log, onLost, onAcknowledged });
    this.#publisher = new StreamPublisher({ stream, epoch, hub: this.#hub, objects: destinations.objects });
  }

  /** Renditions as announced; empty before the first part. */
  get renditions(): readonly RenditionDescription[] {
    return this.#renditions;
  }

  /** MSN of the segment that no rendition has begun yet. */
  get nextMsn(): MediaSequenceNumber {
    return this.#nextMsn;
  }

  /** When the newest part was published, Unix milliseconds. */
  get lastPartAt(): number | undefined {
    return this.#lastPartAt;
  }

  /** How the hub keeps up. */
  get hubStats(): HubPublisherStats {
    return this.#hub.stats;
  }

  /** Publishes what the packager said, in order. */
  publish(events: readonly PackagerEvent[]): void {
    for (const event of events) {
      this.#take(event);
    }
  }

  /** Ends the stream: EXT-X-ENDLIST. */
  end(): void {
    // A run that never made a part was never announced, so there is nothing to end.
    if (this.#renditions.length > 0) {
      this.#publisher.end();
    }
  }

  /** Waits until the hub has everything (true), or for `withinMs` (false). */
  flush(withinMs: number): Promise<boolean> {
    return this.#hub.flush(withinMs);
  }

  /** Gives up what the hub has not taken. */
  close(): void {
    this.#hub.close();
  }

  #take(event: PackagerEvent): void {
    switch (event.kind) {
      case 'start':
        this.#begin(event);
        return;
      case 'part': {
        const { msn, part, duration, independent, programDateTime, bytes } = event;
        const rendition = this.#nameOf(event.trackId);
        this.#nextMsn = mediaSequenceNumber(Math.max(this.#nextMsn, msn + 1));
        this.#lastPartAt = this.#options.now();
        this.#options.telemetry.partPublished({ rendition, duration });
        this.#publisher.part({ rendition, msn, part, duration, independent, programDateTime }, bytes);
        return;
      }
      case 'segment':
        this.#publisher.segment(this.#nameOf(event.trackId), event.msn);
        return;
      case 'gap':
        this.#takeGap(event);
        return;
      case 'warning':
        this.#warn(event);
        return;
      case 'timeline-break':
        this.#options.log.warn(
          { rendition: this.#nameOf(event.trackId), expected: event.expected, got: event.got },
          "the source's clock jumped: going on after a discontinuity",
        );
        return;
    }
  }

  #begin(event: Extract<PackagerEvent, { kind: 'start' }>): void {
    const { firstMsn, windowSegments, plan, tracks, epoch, log } = this.#options;
    const captions = closedCaptions(plan.captions, this.#options.captions);
    this.#renditions = tracks.map((track) => this.#describe(track, event.frameRates.get(track.id), captions));
    const { partTarget, targetDuration } = event;
    const renditions = this.#renditions;
    this.#publisher.begin({
      ...{ firstMsn, targetDuration, partTarget, windowSegments, renditions },
      ...{ closedCaptions: captions.channels, audioOnlyVariant: plan.audioOnly },
    });
    for (const track of tracks) {
      this.#publisher.init(this.#nameOf(track.id), writeInitSegment(track));
    }
    log.info({ epoch, firstMsn, partTarget, renditions: renditions.map(describe) }, 'on air');
  }

  #warn(event: Extract<PackagerEvent, { kind: 'warning' }>): void {
    const fields = { rendition: this.#nameOf(event.trackId), code: event.code };
    // Every source that begins with sound has some before its first picture: nobody has to act on it.
    const level = event.code === 'leading-audio-dropped' ? 'debug' : 'warn';
    this.#options.log[level](fields, event.detail);
  }

  #takeGap(event: Extract<PackagerEvent, { kind: 'gap' }>): void {
    const { msn, duration, programDateTime } = event;
    this.#nextMsn = mediaSequenceNumber(Math.max(this.#nextMsn, msn + 1));
    this.#publisher.gap({ rendition: this.#nameOf(event.trackId), msn, duration, programDateTime });
  }

  #describe(track: Track, frameRate: number | undefined, captions: ClosedCaptions): RenditionDescription {
    const name = this.#nameOf(track.id);
    const planned = this.#options.plan.renditions[track.id - 1];
    const bandwidth = planned?.bandwidth ?? 1;
    const { codecs, width, height, videoRange, sampleRate, channels } = track;
    if (track.kind === 'video') {
      const video = { kind: 'video' as const, name, codecs, width, height, videoRange, bandwidth };
      return { ...video, frameRate: frameRate ?? 0, closedCaptions: captions.isIn(track) };
    }
    const { language, label } = planned?.kind === 'audio' ? planned : {};
    return { kind: 'audio', name, codecs, sampleRate, channels, bandwidth, language, label };
  }

  #nameOf(trackId: number): RenditionName {
    const name = this.#names.get(trackId);
    if (name === undefined) {
      throw new RangeError(`ffmpeg wrote track ${trackId}, the plan has ${this.#names.size}`);
    }
    return name;
  }
}

function describe(rendition: RenditionDescription): string {
  return rendition.kind === 'video'
    ? `${rendition.name} ${rendition.width}x${rendition.height} ${rendition.codecs}`
    : `${rendition.name} ${rendition.codecs}`;
}
