/** One publishing SRT connection: receives messages, probes them and offers them as a feed. */

import { milliseconds } from '#shared/media-time.ts';
import type { Log } from '../../log.ts';
import type { Admission, FeedEnd, MediaFeed } from '../media-feed.ts';
import { TransportStreamProbe } from '../mpegts/probe.ts';
import { FeedQueue } from './feed-queue.ts';
import type { LibSrt } from './libsrt.ts';
import type { SrtLimits } from './limits.ts';
import { MAX_PAYLOAD_BYTES, type SrtSocket } from './srt-constants.ts';
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

/** Messages received in one turn; other sockets then have theirs. 64 are 170 ms at 4 Mbit/s. */
const MESSAGES_PER_TURN = 64;
/** Messages are received side by side into blocks of this size and handed on as views: no copies. */
const BLOCK_BYTES = MESSAGES_PER_TURN * MAX_PAYLOAD_BYTES;
/** Share of the peer idle time of silence that tells a broken path from a goodbye, which comes amid data. */
const SILENT_SHARE = 0.8;

/** A connection from its acceptance to its end. */
export class SrtConnection {
  readonly socket: SrtSocket;
  readonly feed: MediaFeed;
  readonly #admission: Admission;
  readonly #context: ConnectionContext;
  readonly #probe = new TransportStreamProbe();
  readonly #queue: FeedQueue;
  #block = Buffer.alloc(0);
  #blockUsed = 0;
  #lastData: number;
  #paused = false;
  readonly #closed = Promise.withResolvers<void>();
  #ended = false;
  #retransmitted = 0;
  #statistics: SrtStatistics | undefined;

  constructor(input: {
    readonly socket: SrtSocket;
    readonly admission: Admission;
    readonly remoteAddress: string;
    readonly context: ConnectionContext;
  }) {
    this.socket = input.socket;
    this.#admission = input.admission;
    this.#context = input.context;
    this.#lastData = input.context.now();
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

  /** Hands the feed over and begins to receive. */
  start(): void {
    this.#guard(() => {
      this.#context.readiness.watch(this.socket);
      this.#admission.start(this.feed);
    });
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
    for (let taken = 0; taken < MESSAGES_PER_TURN && !this.ended && !this.#paused;) {
      const from = this.#openBlock();
      const outcome = this.#fillBlock(MESSAGES_PER_TURN - taken);
      taken += outcome.messages;
      this.#handOn(this.#block.subarray(from, this.#blockUsed));
      if (outcome.kind === 'lost') {
        this.end(this.#explainLoss());
      }
      if (outcome.kind !== 'full') {
        return;
      }
    }
  }

  /** Looks at the clock and the statistics; called about once a second. */
  tick(): void {
    const { lib, limits, now, log } = this.#context;
    if (this.#paused && lib.isGone(this.socket)) {
      this.end(this.#explainLoss());
    }
    if (!this.#paused && now() - this.#lastData >= limits.stallMs) {
      this.end({ reason: 'stalled', afterSeconds: limits.stallMs / 1000 });
    }
    const trace = this.ended ? undefined : lib.trace(this.socket);
    if (trace === undefined) {
      return;
    }
    const { packetsRetransmittedInInterval, ...reading } = trace;
    this.#retransmitted += packetsRetransmittedInInterval;
    this.#statistics = {
      stream: this.feed.stream,
      remoteAddress: this.feed.remoteAddress,
      packetsRetransmitted: this.#retransmitted,
      ...reading,
    };
    log.debug({ srt: this.#statistics }, 'SRT statistics');
  }

  /** Ends the feed, closes the socket and gives the stream's name free; only the first end counts. */
  end(end: FeedEnd): void {
    if (this.ended) {
      return;
    }
    this.#ended = true;
    void this.#close();
    this.#queue.push({ kind: 'end', end });
    this.#admission.release();
    this.#context.log.info({ stream: this.feed.stream, end }, 'SRT publisher ended');
  }

  /** Resolves when the connection has ended and libsrt has closed the socket. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  async #close(): Promise<void> {
    this.#context.readiness.unwatch(this.socket);
    try {
      await this.#context.lib.close(this.socket);
    } catch (error) {
      this.#context.log.error({ err: error }, 'SRT socket not closed');
    } finally {
      this.#closed.resolve();
    }
  }

  #openBlock(): number {
    if (this.#block.length - this.#blockUsed < MAX_PAYLOAD_BYTES) {
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#blockUsed = 0;
    }
    return this.#blockUsed;
  }

  #fillBlock(limit: number): { readonly kind: 'full' | 'empty' | 'lost'; readonly messages: number } {
    for (let messages = 0; messages < limit; messages += 1) {
      if (this.#block.length - this.#blockUsed < MAX_PAYLOAD_BYTES) {
        return { kind: 'full', messages };
      }
      const bytes = this.#context.lib.receive(this.socket, this.#block.subarray(this.#blockUsed));
      if (bytes === undefined || bytes === 'lost') {
        return { kind: bytes ?? 'empty', messages };
      }
      this.#blockUsed += bytes;
    }
    return { kind: 'full', messages: limit };
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
    }
  }

  #explainLoss(): FeedEnd {
    const silentMs = this.#context.now() - this.#lastData;
    if (silentMs < this.#context.limits.peerIdleMs * SILENT_SHARE) {
      return { reason: 'unpublished' };
    }
    return { reason: 'connection-lost', detail: `nothing received for ${Math.round(silentMs)} ms` };
  }
}
