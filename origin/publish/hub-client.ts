/**
 * Sends one epoch of a stream to its hub: `POST /publish/{stream}/{epoch}`.
 *
 * One request at a time carries everything that waits, so order, batching and back-pressure come by
 * themselves: an idle connection sends at once, a slow one sends more at a time.
 */

import type { Epoch } from '#shared/media-time.ts';
import type { StreamName } from '#shared/identifiers.ts';
import {
  encodePublishFrames,
  MAX_PAYLOAD_BYTES,
  PUBLISH_CONTENT_TYPE,
  type PublishAnswer,
  type PublishUpdate,
} from '#shared/wire/publish.ts';
import type { Log } from '../log.ts';
import { pause, retryDelay } from '../backoff.ts';
import type { HttpSend } from './http-client.ts';
import { askHub, type HubFault } from './hub-answer.ts';
import { lossOf, type HubLoss } from './hub-loss.ts';
import { HUB_LIMITS, type HubLimits } from './hub-limits.ts';
import { fetchHubPosition } from './hub-position.ts';
import { publisherHeaders, type HubPublisherName } from './publisher.ts';
import { SendWindow, type UnnumberedUpdate } from './send-window.ts';

/** A body byte earns its share of time: 1 MiB a second is the slowest path that is put up with. */
const BYTES_PER_EXTRA_MS = 1024;

/** Numbers for status and metrics. */
export interface HubPublisherStats {
  readonly waitingUpdates: number;
  readonly waitingBytes: number;
  readonly acknowledgedUpdates: number;
  readonly failedRequests: number;
  /** False while the hub is away or refuses us. */
  readonly connected: boolean;
}

/** What a publisher is opened with. */
export interface HubPublisherOptions {
  readonly edgeUrl: URL;
  readonly serviceToken: string;
  readonly stream: StreamName;
  readonly epoch: Epoch;
  readonly publisher?: HubPublisherName;
  readonly log: Log;
  /** Called at most once; afterwards the publisher takes updates and forgets them. */
  readonly onLost: (loss: HubLoss) => void;
  /** Told of each update that the hub has; one that it lost and got again is told twice. */
  readonly onAcknowledged?: (update: PublishUpdate) => void;
  readonly send: HttpSend;
  readonly limits?: Partial<HubLimits>;
  /** Milliseconds of a clock that never steps: a stepped one would make what waits seem too old. */
  readonly now?: () => number;
  readonly random?: () => number;
}

/** Opens the way of one epoch to its hub; nothing is sent before the first update. */
export function openHubPublisher(options: HubPublisherOptions): HubPublisher {
  return new HubPublisher(options);
}

/** Brings updates to the hub in order and exactly once; made by {@link openHubPublisher}. */
export class HubPublisher {
  readonly #options: HubPublisherOptions;
  readonly #limits: HubLimits;
  readonly #send: HttpSend;
  readonly #url: URL;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #abort = new AbortController();
  readonly #window: SendWindow;
  #settled: (() => void)[] = [];
  /** `overflowed`: the window was given up, and the owner is told as soon as the hub is back. */
  #phase: 'sending' | 'overflowed' | 'ended' = 'sending';
  #running = false;
  #attempt = 0;
  #failedRequests = 0;
  #dropped = 0;

  constructor(options: HubPublisherOptions) {
    this.#options = options;
    this.#limits = { ...HUB_LIMITS, ...options.limits };
    this.#send = options.send;
    this.#url = new URL(`/publish/${options.stream}/${options.epoch}`, options.edgeUrl);
    this.#now = options.now ?? (() => performance.now());
    this.#random = options.random ?? Math.random;
    this.#window = new SendWindow(this.#limits.acknowledged);
  }

  /** Numbers for status and metrics. */
  get stats(): HubPublisherStats {
    return {
      waitingUpdates: this.#window.waiting,
      waitingBytes: this.#window.waitingBytes,
      acknowledgedUpdates: this.#window.firstWaiting,
      failedRequests: this.#failedRequests,
      connected: this.#attempt === 0,
    };
  }

  /**
   * Takes the next update of the epoch; `begin` is the first. The payload is kept, not copied: it may not
   * change afterwards. Throws RangeError for a payload that the wire format cannot carry.
   */
  publish(update: UnnumberedUpdate, payload: Uint8Array): void {
    if (payload.length > MAX_PAYLOAD_BYTES) {
      throw new RangeError(
        `${update.kind} of ${payload.length} bytes, limit ${MAX_PAYLOAD_BYTES}: lower the bit rate or the part target`,
      );
    }
    if (this.#phase !== 'sending') {
      this.#dropped += 1;
      return;
    }
    this.#window.append(update, payload, this.#now());
    this.#checkOverflow();
    this.#start();
  }

  /** Resolves once nothing waits any more (true) or after `withinMs` (false). */
  async flush(withinMs: number): Promise<boolean> {
    if (this.#running && this.#phase !== 'ended') {
      const stop = new AbortController();
      const settled = new Promise<void>((resolve) => {
        this.#settled.push(resolve);
      });
      await Promise.race([settled, pause(withinMs, stop.signal)]);
      stop.abort();
    }
    return this.#dropped === 0 && this.#window.waiting === 0;
  }

  /** Ends it at once; what waits is forgotten. */
  close(): void {
    this.#end();
    this.#abort.abort();
  }

  #start(): void {
    if (this.#running) {
      return;
    }
    this.#running = true;
    // A microtask later, still before any I/O: renditions cut in one turn travel in one request.
    queueMicrotask(() => {
      this.#run().catch((error: unknown) => {
        this.#lose({ reason: 'invalid', detail: String(error) });
      });
    });
  }

  async #run(): Promise<void> {
    while (this.#phase === 'overflowed' || (this.#phase === 'sending' && this.#window.waiting > 0)) {
      const fault = this.#phase === 'overflowed' ? await this.#probe() : await this.#sendBatch();
      if (fault !== undefined && this.#mayGoOn()) {
        await this.#waitAfter(fault);
      }
    }
    this.#running = false;
    this.#release();
  }

  #mayGoOn(): boolean {
    return this.#phase !== 'ended';
  }

  async #sendBatch(): Promise<HubFault | undefined> {
    const limit = this.#attempt === 0 ? this.#limits.bodyBytes : this.#limits.retryBodyBytes;
    const body = encodePublishFrames(this.#window.batch(limit));
    const answer = await askHub(() =>
      this.#send({
        method: 'POST',
        url: this.#url,
        headers: {
          authorization: `Bearer ${this.#options.serviceToken}`,
          'content-type': PUBLISH_CONTENT_TYPE,
          ...publisherHeaders(this.#options.publisher),
        },
        body,
        timeoutMs: this.#limits.requestMs + body.length / BYTES_PER_EXTRA_MS,
        signal: this.#abort.signal,
      }),
    );
    if (this.#phase !== 'sending') {
      return undefined;
    }
    return answer.kind === 'fault' ? answer : this.#take(answer.answer);
  }

  /** Acts on the hub's answer; a fault when it does not bring us forward. */
  #take(answer: PublishAnswer): HubFault | undefined {
    switch (answer.status) {
      case 'accepted':
      case 'gap':
        return this.#goOnFrom(answer.next);
      case 'stale':
      case 'fenced':
      case 'invalid':
        this.#lose(lossOf(answer));
        return undefined;
    }
  }

  #goOnFrom(next: number): HubFault | undefined {
    const before = this.#window.firstWaiting;
    const { oldest } = this.#window;
    const taken = this.#window.waitingBefore(next);
    if (!this.#window.seek(next, this.#now())) {
      this.#lose({ reason: 'gap', expected: next, oldest });
      return undefined;
    }
    if (next === before) {
      return {
        kind: 'fault',
        refused: false,
        detail: `the hub wants update ${next}, which it was just sent`,
      };
    }
    if (next < before) {
      this.#options.log.warn({ from: before, to: next }, 'the hub lost updates: sending them again');
    }
    for (const update of taken) {
      this.#options.onAcknowledged?.(update);
    }
    this.#recovered();
    return undefined;
  }

  #recovered(): void {
    if (this.#attempt > 0) {
      this.#attempt = 0;
      this.#options.log.info({ waiting: this.#window.waiting }, 'the hub takes updates again');
    }
  }

  async #waitAfter(fault: HubFault): Promise<void> {
    this.#attempt += 1;
    this.#failedRequests += 1;
    if (fault.refused) {
      this.#options.log.error(fault.detail);
    } else if (this.#attempt === 1) {
      this.#options.log.warn(`${fault.detail}; updates are kept and sent again`);
    }
    const backoff = fault.refused ? this.#limits.refusedRetry : this.#limits.retry;
    await pause(retryDelay(this.#attempt, backoff, this.#random()), this.#abort.signal);
    this.#checkOverflow();
  }

  /** Epochs have no holes: once one update is too old to be sent, the rest is of no use to the hub either. */
  #checkOverflow(): void {
    const oldest = this.#window.oldestWaitingAt;
    const tooOld = oldest !== undefined && this.#now() - oldest > this.#limits.waitingMs;
    const tooMuch = this.#window.waitingBytes > this.#limits.waitingBytes;
    if (this.#phase !== 'sending' || (!tooOld && !tooMuch)) {
      return;
    }
    this.#phase = 'overflowed';
    this.#forgetWaiting();
    this.#options.log.error(
      { dropped: this.#dropped },
      'the hub was away for too long: a new epoch begins when it is back; object storage has everything',
    );
  }

  /** After an overflow: asks whether the hub is back, and only then tells the owner. */
  async #probe(): Promise<HubFault | undefined> {
    const position = await fetchHubPosition({
      edgeUrl: this.#options.edgeUrl,
      serviceToken: this.#options.serviceToken,
      stream: this.#options.stream,
      send: this.#send,
      tries: 1,
      signal: this.#abort.signal,
    });
    if (!position.ok) {
      const { reason, detail } = position.failure;
      return { kind: 'fault', refused: reason === 'refused', detail };
    }
    this.#lose({ reason: 'overflow', droppedUpdates: this.#dropped });
    return undefined;
  }

  #lose(loss: HubLoss): void {
    if (this.#phase === 'ended') {
      return;
    }
    this.#end();
    this.#options.log.warn({ loss }, 'the hub cannot go on with this epoch: a new one is needed');
    this.#options.onLost(loss);
  }

  #end(): void {
    this.#phase = 'ended';
    this.#forgetWaiting();
    this.#release();
  }

  #forgetWaiting(): void {
    this.#dropped += this.#window.waiting;
    this.#window.clear();
  }

  #release(): void {
    for (const resolve of this.#settled.splice(0)) {
      resolve();
    }
  }
}
