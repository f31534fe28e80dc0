/**
 * One stream on this origin: its feeds, of which one is on air while this origin holds the stream's lease, and the
 * pipeline behind. Without the lease the feeds are kept ready and nothing is published.
 */

import type { StreamStatus } from '../control/stream-status.ts';
import type { FeedEnd, FeedRole, MediaFeed } from '../ingest/media-feed.ts';
import { LiveStream, type LiveStreamOptions } from '../stream/live-stream.ts';
import { FeedSwitch, type FeedStatus } from './feed-switch.ts';
import { LeaseKeeper, type LeasePhase } from './lease-keeper.ts';
import type { RedundancySettings } from './settings.ts';

/** What a stream works with. */
export interface RedundantStreamOptions extends Omit<
  LiveStreamOptions,
  'lease' | 'reconnectGrace' | 'onOver'
> {
  /** This origin's name towards the hubs. */
  readonly origin: string;
  readonly redundancy: RedundancySettings;
  /** Nothing of the stream is left here. */
  readonly onOver: () => void;
}

/** How a stream is protected. */
export interface RedundancyStatus {
  readonly lease: LeasePhase;
  readonly feeds: readonly FeedStatus[];
}

/** A stream that has a feed, or waits for it to come back. */
export class RedundantStream {
  readonly #options: RedundantStreamOptions;
  readonly #live: LiveStream;
  readonly #feeds: FeedSwitch;
  readonly #lease: LeaseKeeper;
  #taking = false;
  #closing = false;

  constructor(options: RedundantStreamOptions) {
    const { origin, redundancy, log, now, stream } = options;
    const destinations = { ...options.destinations, publisher: { origin, leaseMs: redundancy.lease } };
    this.#options = options;
    this.#feeds = new FeedSwitch({
      ...{ times: redundancy, log, now },
      onAir: (feed) => this.#live.attach(feed),
      onMedia: () => this.#takeLease(),
      onIdle: (end) => {
        this.#standDown(end).catch((error: unknown) => this.#failed(error));
      },
    });
    this.#lease = new LeaseKeeper({
      ...{ origin, log, leaseMs: redundancy.lease, question: { ...destinations, stream } },
      progress: () => this.#live.status().hub?.acknowledgedUpdates ?? 0,
      onLost: () => this.#closeFeeds('another origin has taken this stream over'),
    });
    this.#live = new LiveStream({
      ...{ ...options, destinations, reconnectGrace: redundancy.reconnectGrace },
      lease: {
        position: () => this.#lease.position(),
        lose: () => this.#lease.lose(),
        release: (goodbye) => this.#release(goodbye),
      },
      onOver: () => this.#checkOver(),
    });
  }

  /** Takes a publisher's feed. */
  attach(feed: MediaFeed, role: FeedRole): void {
    this.#feeds.attach(feed, role);
  }

  /** What is known of the stream right now. */
  status(): StreamStatus {
    const feeds = this.#feeds.status();
    const { protocol, remoteAddress } = feeds.find(({ onAir }) => onAir) ?? feeds[0] ?? {};
    const live = this.#live.status();
    return {
      ...live,
      protocol: protocol ?? live.protocol,
      remoteAddress: remoteAddress ?? live.remoteAddress,
      redundancy: { lease: this.#lease.phase, feeds },
    };
  }

  /** Ends the stream for its viewers, also while it waits for its publisher to come back. */
  end(detail: string): void {
    this.#feeds.close(detail);
    this.#live.end(detail);
  }

  /** Publishes what is left and lets go, without ending the stream for its viewers: another origin may go on. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#closeFeeds('the origin is stopping');
    await this.#live.close();
    await this.#lease.release(false);
  }

  #closeFeeds(detail: string): void {
    this.#feeds.shut();
    this.#feeds.close(detail);
  }

  #takeLease(): void {
    if (this.#taking || this.#closing) {
      return;
    }
    this.#taking = true;
    const taking = this.#lease.take().then((taken) => {
      if (taken) {
        this.#feeds.open();
      }
    });
    void taking.catch((error: unknown) => this.#failed(error)).finally(() => (this.#taking = false));
  }

  #release(goodbye: boolean): Promise<boolean> {
    this.#feeds.shut();
    return this.#lease.release(goodbye);
  }

  async #standDown({ reason }: FeedEnd): Promise<void> {
    if (this.#live.isIdle) {
      await this.#release(reason === 'unpublished');
      this.#checkOver();
    }
  }

  /** A bug in one stream must not take the others with it. */
  #failed(error: unknown): void {
    this.#options.log.error({ err: error }, 'redundancy failed: the stream is stopped here');
    this.#closeFeeds('internal error');
  }

  #checkOver(): void {
    if (this.#feeds.isEmpty && this.#live.isIdle) {
      this.#options.onOver();
    }
  }
}
