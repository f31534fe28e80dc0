/**
 * One stream, from its first publisher to its end: feeds come and go, ffmpeg is started for each source and
 * again when it fails, and every run is an epoch of its own that continues the media sequence.
 */

import type { StreamName } from '#shared/identifiers.ts';
import { epoch, mediaSequenceNumber, milliseconds } from '#shared/media-time.ts';
import type { FeedEnd, FeedEvent, MediaFeed } from '../ingest/media-feed.ts';
import type { Log } from '../log.ts';
import type { StreamStatus } from '../control/stream-status.ts';
import { fetchHubPosition } from '../publish/hub-position.ts';
import type { StreamSettings } from '../settings.ts';
import type { EncoderTable } from '../transcode/encoder-table.ts';
import { usesHardware } from '../transcode/planned-rendition.ts';
import { FeedRate } from './feed-rate.ts';
import { DEFAULT_LADDER, type Ladder } from '../transcode/ladder.ts';
import { planRenditions } from '../transcode/rendition-plan.ts';
import { NO_FAILURES, nextRestart, type RestartHistory } from '../transcode/supervisor.ts';
import { EncodingRun, type RunEnd, type RunPosition } from './encoding-run.ts';
import type { Destinations, Publication } from './publication.ts';

/** How long an encoder that lost its connection may take to come back before the stream ends, milliseconds. */
const RECONNECT_GRACE_MS = 15_000;
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
  readonly log: Log;
  readonly now: () => number;
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
      if (!event.randomAccess || this.#options.now() < this.#restarts.notBefore) {
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
    const { stream, settings, ffmpegPath, encoders, destinations, log, now } = this.#options;
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
    const run = new EncodingRun({
      ...{ stream, container, plan: plan.value, settings, ffmpegPath, position, destinations, log, now },
    });
    this.#run = run;
    this.#needsRandomAccess = true;
    void run.write(event.preamble);
    void run.done.then((end) => this.#onRunEnd(run, end));
  }

  /** Where the next epoch goes on: as the hub says, or, while it is away, as far as is known here. */
  async #position(): Promise<RunPosition> {
    const { stream, destinations, log, now } = this.#options;
    const before = this.#publication;
    const handedOver = (await before?.flush(HAND_OVER_MS)) ?? true;
    before?.close();
    const asked = await fetchHubPosition({ ...destinations, stream });
    if (!asked.ok) {
      log.error(
        { reason: asked.failure.reason },
        `the edge does not say where the stream goes on: ${asked.failure.detail}`,
      );
    }
    const known = { latestEpoch: before?.epoch ?? 0, nextMsn: before?.nextMsn ?? 0 };
    const hub = asked.ok ? asked.value : known;
    const nextMsn = handedOver && asked.ok ? hub.nextMsn : Math.max(hub.nextMsn, known.nextMsn);
    const latest = Math.max(hub.latestEpoch, known.latestEpoch);
    return {
      epoch: epoch(Math.max(Math.floor(now() / 1000), latest + 1)),
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
    const { log, now } = this.#options;
    const isEarly = now() - run.startedAt < HARDWARE_TRIAL_MS;
    if (end.kind === 'failed' && isEarly && usesHardware(run.plan)) {
      this.#softwareOnly = true;
      log.warn('hardware encoding failed: this source goes on in software');
    }
    const at = milliseconds(now());
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
    const { log } = this.#options;
    this.#feed = undefined;
    this.#source = undefined;
    log.info({ ...end }, 'publisher gone');
    if (end.reason === 'connection-lost' || end.reason === 'stalled') {
      this.#waitForReturn();
    } else if (!this.#closing) {
      await this.#endStream();
    }
  }

  #waitForReturn(): void {
    if (this.#waitingFeeds > 0) {
      return;
    }
    this.#grace = setTimeout(() => {
      this.#options.log.info({ graceMs: RECONNECT_GRACE_MS }, 'the publisher did not come back');
      this.#feeds = this.#feeds.then(() => this.#endStream());
    }, RECONNECT_GRACE_MS);
  }

  async #endStream(): Promise<void> {
    const publication = this.#publication;
    this.#publication = undefined;
    publication?.end();
    await publication?.flush(HAND_OVER_MS);
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
