/** One publishing SRT connection: receives messages, probes them and offers them as a feed. */

import { milliseconds } from '#shared/media-time.ts';
import type { Log } from '../../log.ts';
import type { Admission, FeedEnd, MediaFeed } from '../media-feed.ts';
import { TransportStreamProbe } from '../mpegts/probe.ts';
import { FeedQueue } from './feed-queue.ts';
import { Inbox, type InboxTurn } from './inbox.ts';
import type { LibSrt } from './libsrt.ts';
import type { SrtLimits } from './limits.ts';
import type { SrtSocket } from './srt-constants.ts';
import type { SrtReadiness } from './readiness.ts';
import type { SrtStatistics } from './statistics.ts';

/** What a connection works with. */
export interface ConnectionContext {
  readonly lib: LibSrt;
  readonly readiness: SrtReadiness;
  readonly limits: SrtLimits;
  readonly log: Log;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** How a connection came about. */
export type SrtLink = Pick<SrtStatistics, 'mode' | 'encryption'>;

/** Messages received in one turn; other sockets then have theirs. 64 are 170 ms at 4 Mbit/s. */
const MESSAGES_PER_TURN = 64;
/** Share of the peer idle time of silence that tells a broken path from a goodbye. */
const SILENT_SHARE = 0.8;
/** Silence that an encoder does not keep while it sends, milliseconds. */
const LEAST_SILENCE_MILLISECONDS = 1_000;

/** Pause between looks for what libsrt still holds after a goodbye, milliseconds: half a frame at 60 fps. */
const DRAIN_MILLISECONDS = 8;
/** Added to the latency, after which nothing more is held, milliseconds. */
const DRAIN_MARGIN_MILLISECONDS = 40;
/** Longest wait for what is held, milliseconds: a caller may have asked for any latency. */
const MAX_DRAIN_MILLISECONDS = 10_000;

/** A connection from its acceptance to its end. */
export class SrtConnection {
  readonly socket: SrtSocket;
  readonly feed: MediaFeed;
  readonly #admission: Admission;
  readonly #context: ConnectionContext;
  readonly #link: SrtLink;
  readonly #probe = new TransportStreamProbe();
  readonly #queue: FeedQueue;
  readonly #inbox: Inbox;
  #lastData: number;
  #paused = false;
  #deciding = false;
  /** Set once the peer is gone while libsrt still holds messages until they are due. */
  #drain: { readonly until: number; readonly end: FeedEnd } | undefined;
  #drainTimer: NodeJS.Timeout | undefined;
  readonly #closed = Promise.withResolvers<FeedEnd>();
  #ended = false;
  #retransmitted = 0;
  #statistics: SrtStatistics | undefined;

  constructor(input: {
    readonly socket: SrtSocket;
    readonly admission: Admission;
    readonly remoteAddress: string;
    readonly link: SrtLink;
    readonly context: ConnectionContext;
  }) {
    this.socket = input.socket;
    this.#admission = input.admission;
    this.#context = input.context;
    this.#link = input.link;
    this.#lastData = input.context.now();
    this.#inbox = new Inbox((buffer) => input.context.lib.receive(input.socket, buffer));
    this.#queue = new FeedQueue({
      limitBytes: input.context.limits.queueBytes,
      onRoom: () => this.#resume(),
      onAbandon: () => this.end({ reason: 'closed', detail: 'the pipeline let go of the feed' }),
    });
    this.feed = {
      stream: input.admission.stream,
      protocol: 'srt',
      container: 'mpegts',
      remoteAddress: input.remoteAddress,
      events: this.#queue,
      close: (detail) => this.end({ reason: 'closed', detail }),
    };
  }

  /** True from the end on. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The last reading, `undefined` before the first. */
  get statistics(): SrtStatistics | undefined {
    return this.#statistics;
  }

  /** Hands the feed over and begins to receive, once it is decided that the caller may publish. */
  start(): void {
    const { pending } = this.#admission;
    if (pending === undefined) {
      this.#guard(() => this.#begin());
      return;
    }
    this.#deciding = true;
    void pending.then((refusal) => {
      this.#deciding = false;
      if (refusal === undefined) {
        this.#guard(() => this.#begin());
      } else {
        this.end({ reason: 'rejected', detail: refusal.detail });
      }
    });
  }

  #begin(): void {
    if (this.ended) {
      return;
    }
    const { stream, remoteAddress } = this.feed;
    this.#context.log.info({ stream, remoteAddress }, 'SRT publisher connected');
    this.#lastData = this.#context.now();
    this.#readStatistics();
    this.#context.readiness.watch(this.socket);
    this.#admission.start(this.feed);
  }

  /** Receives what waits, up to a turn's share; called when the socket is ready. */
  receive(): void {
    this.#guard(() => this.#receiveTurn());
  }

  /** A fault of ours ends this connection and not the others. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#context.log.error({ err: error, stream: this.feed.stream }, 'SRT connection failed');
      this.end({ reason: 'closed', detail: 'internal error, see the log' });
    }
  }

  #receiveTurn(): void {
    let left = MESSAGES_PER_TURN;
    let next: InboxTurn['next'] = 'more';
    while (left > 0 && next === 'more' && !this.ended && !this.#paused) {
      const turn = this.#inbox.take(left);
      left -= turn.messages;
      next = turn.next;
      this.#handOn(turn.bytes);
    }
    if (next === 'lost' || this.#drain !== undefined) {
      this.#drainOrEnd();
    }
  }

  /** Looks at the clock and the statistics; called about once a second. */
  tick(): void {
    const { lib, limits, now } = this.#context;
    if (this.#deciding) {
      return;
    }
    // While we do not read, silence says nothing: only a peer that is gone is not waited for.
    const silent = now() - this.#lastData >= limits.stallMs;
    if (silent && (!this.#paused || lib.isGone(this.socket))) {
      this.end({ reason: 'stalled', afterSeconds: limits.stallMs / 1000 });
    }
    this.#readStatistics();
  }

  #readStatistics(): void {
    const trace = this.ended ? undefined : this.#context.lib.trace(this.socket);
    if (trace === undefined) {
      return;
    }
    const { packetsRetransmittedInInterval, ...reading } = trace;
    this.#retransmitted += packetsRetransmittedInInterval;
    this.#statistics = {
      stream: this.feed.stream,
      remoteAddress: this.feed.remoteAddress,
      ...this.#link,
      packetsRetransmitted: this.#retransmitted,
      ...reading,
    };
    this.#context.log.debug({ srt: this.#statistics }, 'SRT statistics');
  }

  /** Ends the feed, closes the socket and gives the stream's name free; only the first end counts. */
  end(end: FeedEnd): void {
    if (this.ended) {
      return;
    }
    this.#ended = true;
    void this.#close(end);
    this.#queue.push({ kind: 'end', end });
    this.#admission.release();
    this.#context.log.info({ stream: this.feed.stream, end }, 'SRT publisher ended');
  }

  /** Resolves with its end when the connection has ended and libsrt has closed the socket. */
  get closed(): Promise<FeedEnd> {
    return this.#closed.promise;
  }

  /** Messages wait in libsrt until they are due: when the peer is gone the last ones are still to come. */
  #drainOrEnd(): void {
    if (this.ended || this.#paused) {
      return;
    }
    const now = this.#context.now();
    this.#drain ??= { until: now + this.#latencyMs + DRAIN_MARGIN_MILLISECONDS, end: this.#explainLoss() };
    if (now >= this.#drain.until) {
      this.end(this.#drain.end);
      return;
    }
    this.#context.readiness.unwatch(this.socket);
    this.#drainTimer = setTimeout(() => this.receive(), DRAIN_MILLISECONDS);
  }

  get #latencyMs(): number {
    return Math.min(this.#statistics?.latencyMs ?? 0, MAX_DRAIN_MILLISECONDS);
  }

  async #close(end: FeedEnd): Promise<void> {
    clearTimeout(this.#drainTimer);
    this.#context.readiness.unwatch(this.socket);
    try {
      await this.#context.lib.close(this.socket);
    } catch (error) {
      this.#context.log.error({ err: error }, 'SRT socket not closed');
    } finally {
      this.#closed.resolve(end);
    }
  }

  #handOn(bytes: Uint8Array): void {
    if (bytes.length === 0) {
      return;
    }
    this.#lastData = this.#context.now();
    for (const event of this.#probe.push(bytes, milliseconds(this.#lastData))) {
      if (event.kind === 'rejected') {
        this.end({ reason: 'rejected', detail: event.detail });
        return;
      }
      if (!this.#queue.push(event)) {
        this.#pause();
      }
    }
  }

  #pause(): void {
    if (!this.#paused && !this.ended) {
      this.#paused = true;
      this.#context.readiness.unwatch(this.socket);
      this.#context.log.warn({ stream: this.feed.stream }, 'SRT reading paused: the pipeline is too slow');
    }
  }

  #resume(): void {
    if (this.#paused && !this.ended) {
      this.#paused = false;
      this.#lastData = this.#context.now();
      this.#context.readiness.watch(this.socket);
      // A socket that libsrt has given up meanwhile is no longer reported.
      this.receive();
    }
  }

  /** libsrt does not tell a goodbye from a time-out: a goodbye comes amid data. */
  #explainLoss(): FeedEnd {
    const silentMs = this.#context.now() - this.#lastData;
    const timeOutMs = Math.max(this.#context.limits.peerIdleMs - this.#latencyMs, LEAST_SILENCE_MILLISECONDS);
    if (silentMs < timeOutMs * SILENT_SHARE) {
      return { reason: 'unpublished' };
    }
    return { reason: 'connection-lost', detail: `nothing received for ${Math.round(silentMs)} ms` };
  }
}
