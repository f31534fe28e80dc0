/**
 * The feeds of one stream on this origin: one at most is on air, the other is read and its newest group of pictures
 * kept. Each turn on air is a feed of its own to the pipeline, since two encoders' clocks never agree.
 */

import type { FeedEnd, FeedEvent, FeedRole, MediaFeed } from '../ingest/media-feed.ts';
import type { Log } from '../log.ts';
import { FeedOutput } from './feed-output.ts';
import { GopBuffer } from './gop-buffer.ts';
import {
  isHealthy,
  NO_FEEDS,
  redundancy,
  type RedundancyEvent,
  type RedundancyState,
  type RedundancyTimes,
} from './redundancy.ts';

/** How often the clock is looked at, milliseconds: what a switch may come late. */
const TICK_MS = 200;

/** One feed as status shows it. */
export interface FeedStatus {
  readonly role: FeedRole;
  readonly protocol: MediaFeed['protocol'];
  readonly remoteAddress: string;
  readonly onAir: boolean;
  /** Media has come within `lossAfter`. */
  readonly healthy: boolean;
}

/** What a switch works with. */
export interface FeedSwitchOptions {
  readonly times: RedundancyTimes;
  /** Takes a turn over; the one before ends right afterwards. */
  readonly onAir: (feed: MediaFeed) => void;
  /** The first media has come while the switch is closed. */
  readonly onMedia: () => void;
  /** The last feed has gone while none was on air. */
  readonly onIdle: (end: FeedEnd) => void;
  readonly log: Log;
  readonly now: () => number;
}

interface Lane {
  readonly role: FeedRole;
  readonly feed: MediaFeed;
  readonly gop: GopBuffer;
  source: Extract<FeedEvent, { kind: 'source' }> | undefined;
}

/** Reads all feeds of a stream and puts one on air. */
export class FeedSwitch {
  readonly #options: FeedSwitchOptions;
  readonly #lanes = new Map<FeedRole, Lane>();
  #state: RedundancyState = NO_FEEDS;
  #onAir: { readonly lane: Lane; readonly output: FeedOutput } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FeedSwitchOptions) {
    this.#options = options;
  }

  /** The feeds that are there. */
  status(): readonly FeedStatus[] {
    const { times, now } = this.#options;
    return Array.from(this.#lanes.values(), ({ role, feed: { protocol, remoteAddress } }) => ({
      ...{ role, protocol, remoteAddress },
      onAir: this.#onAir?.lane.role === role,
      healthy: isHealthy(this.#state, role, now(), times),
    }));
  }

  /** Whether no feed is there. */
  get isEmpty(): boolean {
    return this.#lanes.size === 0;
  }

  /** Reads a feed; the gate sees to it that there is one of each role at a time. */
  attach(feed: MediaFeed, role: FeedRole): void {
    const lane: Lane = { role, feed, gop: new GopBuffer(), source: undefined };
    this.#lanes.set(role, lane);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    this.#options.log.info(
      { role, protocol: feed.protocol, remoteAddress: feed.remoteAddress },
      'feed connected',
    );
    this.#read(lane).catch((error: unknown) => {
      this.#options.log.error({ err: error, role }, 'a feed failed');
      feed.close('internal error');
      this.#leave(lane, { reason: 'closed', detail: 'internal error' });
    });
  }

  /** This origin may publish: the better feed goes on air. */
  open(): void {
    this.#note({ kind: 'open', at: this.#options.now() });
  }

  /** This origin may not publish: feeds are kept ready. */
  shut(): void {
    this.#state = { ...this.#state, open: false, active: undefined };
  }

  /** Ends all feeds from our side. */
  close(detail: string): void {
    for (const { feed } of this.#lanes.values()) {
      feed.close(detail);
    }
  }

  async #read(lane: Lane): Promise<void> {
    for await (const event of lane.feed.events) {
      switch (event.kind) {
        case 'source':
          lane.source = event;
          lane.gop.clear();
          await this.#outputOf(lane)?.put(event);
          break;
        case 'media':
          await this.#takeMedia(lane, event);
          break;
        case 'end':
          this.#leave(lane, event.end);
          return;
      }
    }
  }

  async #takeMedia(lane: Lane, event: Extract<FeedEvent, { kind: 'media' }>): Promise<void> {
    if (this.#outputOf(lane) === undefined) {
      lane.gop.push(event, this.#options.now());
      this.#note({ kind: 'media', role: lane.role, at: this.#options.now() });
      if (!this.#state.open) {
        this.#options.onMedia();
      }
      return;
    }
    this.#note({ kind: 'media', role: lane.role, at: this.#options.now() });
    await this.#outputOf(lane)?.put(event);
  }

  #outputOf(lane: Lane): FeedOutput | undefined {
    return this.#onAir?.lane === lane ? this.#onAir.output : undefined;
  }

  #tick(): void {
    const at = this.#options.now();
    // What waits for the pipeline is not lost: the feed is not read meanwhile.
    const behind = this.#onAir?.output.isBehind === true ? this.#onAir.lane.role : undefined;
    this.#note(behind === undefined ? { kind: 'tick', at } : { kind: 'media', role: behind, at });
  }

  #note(event: RedundancyEvent): void {
    this.#state = redundancy(this.#state, event, this.#options.times);
    const { active } = this.#state;
    const lane = active && this.#lanes.get(active);
    // A feed that has ended is heard out before one that comes back in its role.
    if (lane !== undefined && lane.role !== this.#onAir?.lane.role) {
      this.#putOnAir(lane);
    }
  }

  #putOnAir(lane: Lane): void {
    const before = this.#onAir;
    const output = new FeedOutput(lane.feed, lane.gop.since, (detail) => lane.feed.close(detail));
    this.#onAir = { lane, output };
    if (before !== undefined) {
      this.#options.log.warn({ from: before.lane.role, to: lane.role }, 'switching to the other feed');
    }
    for (const event of lane.source === undefined ? [] : [lane.source, ...lane.gop.take()]) {
      void output.put(event);
    }
    this.#options.onAir(output.feed);
    before?.output.end({ reason: 'connection-lost', detail: `the ${lane.role} feed takes over` });
  }

  #leave(lane: Lane, end: FeedEnd): void {
    const { role } = lane;
    const at = this.#options.now();
    const hasReturned = this.#lanes.get(role) !== lane;
    this.#options.log.info({ role, ...end }, 'feed gone');
    const wasOnAir = this.#outputOf(lane) !== undefined;
    if (!hasReturned) {
      this.#lanes.delete(role);
      this.#note({ kind: 'gone', role, at });
    }
    const output = this.#outputOf(lane);
    if (output !== undefined) {
      // The other feed may come back: until then the stream waits, as for an encoder that reconnects.
      const waits = this.#lanes.size > 0 && end.reason !== 'closed';
      this.#onAir = undefined;
      output.end(waits ? { reason: 'connection-lost', detail: `the ${role} feed has ended` } : end);
    }
    this.#note({ kind: 'tick', at });
    if (this.#lanes.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#state = { ...NO_FEEDS, open: this.#state.open };
      if (!wasOnAir) {
        this.#options.onIdle(end);
      }
    }
  }
}
