/** A stream that is fetched: the origin calls an encoder that listens, takes its feed, and calls again. */

import type { StreamName } from '#shared/identifiers.ts';
import type { Result } from '#shared/result.ts';
import { pause, retryDelay, type Backoff } from '../../backoff.ts';
import type { Log } from '../../log.ts';
import type { Admission, FeedEnd, PublishRefusal } from '../media-feed.ts';
import type { CallFailure } from './caller.ts';
import type { AdmittedCaller } from './handshakes.ts';
import type { PullAddress } from './pull-address.ts';
import { renderEndpoint } from './socket-address.ts';
import type { SrtSocket } from './srt-constants.ts';

/** Waits between calls: quick after a drop, and no burden on an encoder that is off for a week. */
const BACKOFF: Backoff = { baseMs: 500, maxMs: 10_000 };
/** A connection that lasted so long was a healthy one, milliseconds: the wait after it is a first one again. */
const HEALTHY_MS = 10_000;

/** Gives the name of a stream to a feed that the operator has asked for, so that no key has to be shown. */
export interface PullGate {
  admitPull(request: {
    readonly stream: StreamName;
    readonly remoteAddress: string;
  }): Result<Admission, PublishRefusal>;
}

/** How a pull is doing. */
export interface SrtPullStatus {
  readonly stream: StreamName;
  /** Host and port; nothing else of the address. */
  readonly address: string;
  readonly state: 'calling' | 'live' | 'waiting';
  /** Calls in a row that failed. */
  readonly failedCalls: number;
  /** Why the last one failed, or the last connection ended; `undefined` while it is live or never was tried. */
  readonly lastFailure: string | undefined;
}

/** What a pull works with. */
export interface SrtPullOptions {
  readonly stream: StreamName;
  readonly address: PullAddress;
  readonly gate: PullGate;
  /** Makes one call. */
  readonly call: (signal: AbortSignal) => Promise<Result<SrtSocket, CallFailure>>;
  /** Takes a connected socket over until the signal; resolves with the end of its feed. */
  readonly serve: (socket: SrtSocket, admitted: AdmittedCaller, signal: AbortSignal) => Promise<FeedEnd>;
  readonly closeSocket: (socket: SrtSocket) => Promise<void>;
  readonly log: Log;
  readonly now: () => number;
  readonly random: () => number;
}

/** Calls until closed. */
export class SrtPull {
  readonly #options: SrtPullOptions;
  readonly #address: string;
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;
  #state: SrtPullStatus['state'] = 'calling';
  #failedCalls = 0;
  #lastFailure: string | undefined;
  #logged: string | undefined;

  constructor(options: SrtPullOptions) {
    this.#options = options;
    this.#address = renderEndpoint(options.address);
    this.#done = this.#run();
  }

  /** What is known right now. */
  status(): SrtPullStatus {
    return {
      stream: this.#options.stream,
      address: this.#address,
      state: this.#state,
      failedCalls: this.#failedCalls,
      lastFailure: this.#lastFailure,
    };
  }

  /** Calls no more and ends a feed that is live; resolves when both are over. */
  async close(): Promise<void> {
    this.#ended.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    const { random } = this.#options;
    let attempt = 0;
    while (!signal.aborted) {
      this.#state = 'calling';
      const liveMs = await this.#callOnce(signal);
      this.#state = 'waiting';
      attempt = liveMs >= HEALTHY_MS ? 1 : attempt + 1;
      await pause(signal.aborted ? 0 : retryDelay(attempt, BACKOFF, random()), signal);
    }
  }

  /** Answers how long a feed was live, milliseconds. */
  async #callOnce(signal: AbortSignal): Promise<number> {
    const { call, log, now, stream } = this.#options;
    try {
      const called = await call(signal);
      if (!called.ok) {
        this.#fail(called.failure.detail);
        return 0;
      }
      const since = now();
      await this.#serve(called.value);
      return now() - since;
    } catch (error) {
      log.error({ err: error, stream }, 'SRT pull failed');
      this.#fail('internal error, see the log');
      return 0;
    }
  }

  async #serve(socket: SrtSocket): Promise<void> {
    const { gate, serve, closeSocket, stream, log } = this.#options;
    const admitted = gate.admitPull({ stream, remoteAddress: this.#address });
    if (!admitted.ok) {
      await closeSocket(socket);
      this.#fail(admitted.failure.detail);
      return;
    }
    log.info({ stream, address: this.#address }, 'SRT pull connected');
    this.#state = 'live';
    this.#failedCalls = 0;
    this.#lastFailure = undefined;
    this.#logged = undefined;
    const end = await serve(
      socket,
      { admission: admitted.value, remoteAddress: this.#address },
      this.#ended.signal,
    );
    this.#lastFailure = explainEnd(end);
    if (end.reason === 'rejected') {
      // Called again it will most likely be the same: once in the log is enough.
      this.#fail(this.#lastFailure);
    }
  }

  /** Notes a failure; the log hears of it when it is another than the one before. */
  #fail(detail: string): void {
    if (this.#ended.signal.aborted) {
      return;
    }
    this.#failedCalls += 1;
    this.#lastFailure = detail;
    if (this.#logged !== detail) {
      this.#logged = detail;
      const { log, stream } = this.#options;
      log.warn({ stream, address: this.#address, detail }, 'SRT pull failed; the origin goes on calling');
    }
  }
}

function explainEnd(end: FeedEnd): string {
  switch (end.reason) {
    case 'unpublished':
      return 'the encoder ended the connection';
    case 'connection-lost':
    case 'closed':
    case 'rejected':
      return end.detail;
    case 'stalled':
      return `the encoder sent nothing for ${end.afterSeconds} s`;
  }
}
