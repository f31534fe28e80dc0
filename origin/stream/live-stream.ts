/**
 * One stream, from its first publisher to its end: feeds come and go, ffmpeg is started for each source and
 * again when it fails, and every run is an epoch of its own that continues the media sequence.
 */

import type { StreamName } from '#shared/identifiers.ts';
import { epoch, mediaSequenceNumber, milliseconds } from '#shared/media-time.ts';
import type { FeedEnd, FeedEvent, MediaFeed } from '../ingest/media-feed.ts';
import type { Log } from '../log.ts';
import type { StreamStatus } from '../control/stream-status.ts';
import type { FeedTap } from '../restream/restreams.ts';
import type { LeaseKeeper } from '../redundancy/lease-keeper.ts';
import type { StreamSettings } from '../settings.ts';
import type { EncoderTable } from '../transcode/encoder-table.ts';
import { usesHardware } from '../transcode/planned-rendition.ts';
import { FeedRate } from './feed-rate.ts';
import { DEFAULT_LADDER, type Ladder } from '../transcode/ladder.ts';
import { planRenditions } from '../transcode/rendition-plan.ts';
import { NO_FAILURES, nextRestart, type RestartHistory } from '../transcode/supervisor.ts';
import { EncodingRun, type RunEnd, type RunPosition } from './encoding-run.ts';
import type { Destinations, Publication } from './publication.ts';
import { unaskedEpoch } from './unasked-epoch.ts';
import type { StreamTelemetry } from './stream-telemetry.ts';

/** Time for the hub to take what an ended run still has, before the next epoch begins, milliseconds. */
const HAND_OVER_MS = 3_000;
/** A run with hardware encoders that fails before so long, milliseconds, fails because of them. */
const HARDWARE_TRIAL_MS = 10_000;
/** Time for ffmpeg to give out its last frames, milliseconds; then it is ended. */
const FINISH_MS = 5_000;

/** What a stream works with. */
export interface LiveStreamOptions {
  readonly stream: StreamName;
  readonly settings: StreamSettings<Ladder>;
  readonly ffmpegPath: string;
  readonly encoders: EncoderTable;
  readonly destinations: Destinations;
  readonly telemetry: StreamTelemetry;
  readonly log: Log;
  readonly now: () => number;
  /** Is shown the feed as it is taken: where it is pushed on. */
  readonly tap?: FeedTap | undefined;
  /** How long an encoder that lost its connection may take to come back before the stream ends, milliseconds. */
  readonly reconnectGrace: number;
  /** The right to publish this stream. */
  readonly lease: Pick<LeaseKeeper, 'position' | 'lose' | 'release'>;
  /** The stream is over and has been forgotten by its publishers. */
  readonly onOver: () => void;
}

type SourceEvent = Extract<FeedEvent, { kind: 'source' }>;
type MediaEvent = Extract<FeedEvent, { kind: 'media' }>;

/** A stream that is live, or waits for its publisher to come back. */
export class LiveStream {
  readonly #options: LiveStreamOptions;
  readonly #since: number;
  #feeds: Promise<void> = Promise.resolve();
  #waitingFeeds = 0;
  #feed: MediaFeed | undefined;
  /** When the media that the feed begins with was received, until a run has begun with it. */
  #heldSince: number | undefined;
  #source: SourceEvent | undefined;
  #run: EncodingRun | undefined;
  #publication: Publication | undefined;
  #restarts: { readonly history: RestartHistory; readonly notBefore: number } = fresh();
  #needsRandomAccess = true;
  /** Hardware failed for this source. */
  #softwareOnly = false;
  readonly #rate = new FeedRate();
  #grace: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(options: LiveStreamOptions) {
    this.#options = options;
    this.#since = options.now();
  }

  /** Takes over a publisher's feed; it is read when the one before has been dealt with. */
  attach(feed: MediaFeed): void {
    clearTimeout(this.#grace);
    this.#waitingFeeds += 1;
    this.#feeds = this.#feeds.then(() => {
      this.#waitingFeeds -= 1;
      return this.#consume(feed);
    });
  }

  /** Whether nothing is under way: no feed, and none to wait for. */
  get isIdle(): boolean {
    const isFed = this.#feed !== undefined || this.#waitingFeeds > 0;
    return !isFed && this.#run === undefined && this.#publication === undefined;
  }

  /** What is known of the stream right now. */
  status(): StreamStatus {
    const publication = this.#run?.publication ?? this.#publication;
    return {
      stream: this.#options.stream,
      protocol: this.#feed?.protocol ?? 'rtmp',
      remoteAddress: this.#feed?.remoteAddress ?? '',
      since: this.#since,
      source: this.#source?.source,
      renditions: publication?.renditions ?? [],
      nextMsn: publication?.nextMsn,
      lastPartAt: publication?.lastPartAt,
      hub: publication?.hubStats,
    };
  }

  /** Ends the stream for its viewers, also while it waits for its publisher to come back. */
  end(detail: string): void {
    clearTimeout(this.#grace);
    if (this.#feed === undefined && this.#waitingFeeds === 0) {
      this.#feeds = this.#feeds.then(() => this.#endStream());
    } else {
      this.#feed?.close(detail);
    }
  }

  /** Publishes what is left and lets go, without ending the stream for its viewers: another run may go on. */
  async close(): Promise<void> {
    clearTimeout(this.#grace);
    this.#closing = true;
    this.#feed?.close('the origin is stopping');
    await this.#feeds;
    clearTimeout(this.#grace);
    await this.#publication?.flush(HAND_OVER_MS);
    this.#publication?.close();
  }

  async #consume(feed: MediaFeed): Promise<void> {
    const { log } = this.#options;
    this.#feed = feed;
    this.#heldSince = feed.heldSince;
    this.#options.telemetry.feedStarted(feed.container);
    log.info({ protocol: feed.protocol, remoteAddress: feed.remoteAddress }, 'publisher connected');
    try {
      for await (const event of feed.events) {
        await this.#take(event);
      }
    } catch (error) {
      // A bug in one stream's pipeline must not take the others with it.
      log.error({ err: error }, 'the stream failed and is ended');
      feed.close('internal error');
      await this.#finishRun();
      await this.#endStream();
    }
  }

  async #take(event: FeedEvent): Promise<void> {
    this.#options.tap?.(event, this.#feed?.container ?? 'flv');
    switch (event.kind) {
      case 'source':
        await this.#finishRun();
        this.#source = event;
        this.#restarts = fresh();
        this.#softwareOnly = false;
        this.#rate.begin(event.source);
        this.#start(event);
        return;
      case 'media':
        this.#options.telemetry.mediaRead(event);
        await this.#write(event);
        return;
      case 'end':
        await this.#finishRun();
        await this.#onFeedEnd(event.end);
        return;
    }
  }

  async #write(event: MediaEvent): Promise<void> {
    this.#rate.add(event.bytes.length, this.#options.now());
    if (this.#run === undefined && this.#source !== undefined) {
      if (!event.randomAccess || performance.now() < this.#restarts.notBefore) {
        return;
      }
      this.#start(this.#source);
    }
    if (this.#needsRandomAccess && !event.randomAccess) {
      return;
    }
    this.#needsRandomAccess = false;
    await this.#run?.write(event.bytes);
  }

  #start(event: SourceEvent): void {
    const { stream, settings, ffmpegPath, encoders, destinations, telemetry, log, now } = this.#options;
    const container = event.container ?? this.#feed?.container ?? 'flv';
    const plan = planRenditions({
      ...{ source: event.source, container, ladder: settings.ladder ?? DEFAULT_LADDER, encoders },
      ...{ softwareOnly: this.#softwareOnly, sourceBitrate: this.#rate.bitsPerSecond },
    });
    if (!plan.ok) {
      this.#source = undefined;
      this.#feed?.close(plan.failure.detail);
      log.error({ reason: plan.failure.reason }, plan.failure.detail);
      return;
    }
    const position = this.#position();
    const firstMediaAt = this.#heldSince;
    this.#heldSince = undefined;
    const run = new EncodingRun({
      firstMediaAt,
      ...{
        stream,
        container,
        plan: plan.value,
        settings,
        ffmpegPath,
        position,
        destinations,
        telemetry,
        log,
        now,
      },
    });
    this.#run = run;
    this.#needsRandomAccess = true;
    void run.write(event.preamble);
    void run.done.then((end) => this.#onRunEnd(run, end));
  }

  /** Where the next epoch goes on: as the hub says, or, while it is away, as far as is known here. */
  async #position(): Promise<RunPosition> {
    const { log, now, lease } = this.#options;
    const before = this.#publication;
    const handedOver = (await before?.flush(HAND_OVER_MS)) ?? true;
    before?.close();
    const asked = await lease.position();
    if (!asked.ok) {
      log.error(
        { reason: asked.failure.reason },
        `the edge does not say where the stream goes on: ${asked.failure.detail}`,
      );
    }
    const hub = asked.ok ? asked.value : undefined;
    const known = before?.nextMsn ?? 0;
    const nextMsn = handedOver && hub !== undefined ? hub.nextMsn : Math.max(hub?.nextMsn ?? 0, known);
    return {
      epoch: epoch(hub?.epoch ?? unaskedEpoch(before?.epoch, now(), Math.random())),
      firstMsn: mediaSequenceNumber(nextMsn),
    };
  }

  #onRunEnd(run: EncodingRun, end: RunEnd): void {
    this.#publication = run.publication ?? this.#publication;
    if (this.#run !== run) {
      return;
    }
    this.#run = undefined;
    if (end.kind === 'finished') {
      return;
    }
    if (end.kind === 'hub-lost' && end.loss.reason === 'fenced') {
      this.#options.lease.lose();
      return;
    }
    const { log } = this.#options;
    const isEarly = performance.now() - run.startedAt < HARDWARE_TRIAL_MS;
    if (end.kind === 'failed' && isEarly && usesHardware(run.plan)) {
      this.#softwareOnly = true;
      log.warn('hardware encoding failed: this source goes on in software');
    }
    const at = milliseconds(performance.now());
    const { delay, history } = nextRestart(this.#restarts.history, milliseconds(run.startedAt), at);
    this.#restarts = { history, notBefore: at + delay };
    log.warn({ ...explain(end), restartInMs: delay }, 'the encoding run ended and is started again');
  }

  /** Lets the current run give out its last frames. */
  async #finishRun(): Promise<void> {
    const run = this.#run;
    if (run === undefined) {
      return;
    }
    run.finish();
    const limit = setTimeout(() => run.kill(), FINISH_MS);
    await run.done;
    clearTimeout(limit);
    this.#publication = run.publication ?? this.#publication;
    this.#run = undefined;
  }

  async #onFeedEnd(end: FeedEnd): Promise<void> {
    const { log, telemetry } = this.#options;
    telemetry.feedEnded(end);
    this.#feed = undefined;
    this.#source = undefined;
    log.info({ ...end }, 'publisher gone');
    if (end.reason === 'connection-lost' || end.reason === 'stalled') {
      this.#waitForReturn();
    } else if (!this.#closing) {
      await this.#endStream();
    }
  }

  /** Meanwhile another origin that has a feed may go on with the stream. */
  #waitForReturn(): void {
    if (this.#waitingFeeds > 0) {
      return;
    }
    const { reconnectGrace, log } = this.#options;
    this.#grace = setTimeout(() => {
      log.info({ graceMs: reconnectGrace }, 'the publisher did not come back');
      this.#feeds = this.#feeds.then(() => this.#endStream());
    }, reconnectGrace);
    void this.#letOthersGoOn();
  }

  async #letOthersGoOn(): Promise<void> {
    await this.#publication?.flush(HAND_OVER_MS);
    if (this.#waitingFeeds === 0 && this.#feed === undefined) {
      await this.#options.lease.release(false);
    }
  }

  /** Ends the stream for its viewers, unless another origin goes on with it. */
  async #endStream(): Promise<void> {
    const publication = this.#publication;
    this.#publication = undefined;
    await publication?.flush(HAND_OVER_MS);
    if (await this.#options.lease.release(true)) {
      publication?.end();
      await publication?.flush(HAND_OVER_MS);
    }
    publication?.close();
    if (this.#waitingFeeds === 0 && this.#feed === undefined) {
      this.#options.onOver();
    }
  }
}

function fresh(): { readonly history: RestartHistory; readonly notBefore: number } {
  return { history: NO_FAILURES, notBefore: 0 };
}

function explain(end: RunEnd): object {
  switch (end.kind) {
    case 'failed':
      return { cause: end.detail };
    case 'hub-lost':
      return { cause: 'the hub cannot go on with this epoch', loss: end.loss };
    case 'timeline-break':
    case 'finished':
      return { cause: end.kind };
  }
}
