/** A gate in front of the gate: limits by address for whoever publishes, over RTMP and SRT alike. */

import { fail, ok, type Result } from '#shared/result.ts';
import type {
  Admission,
  FeedEvent,
  IngestGate,
  MediaFeed,
  PublishRefusal,
  PublishRequest,
} from '../media-feed.ts';
import { networkOf, type AddressBuckets } from './address-buckets.ts';
import type { LimitLog } from './limit-log.ts';
import { maxBytesPerSecond, type IngestLimits } from './settings.ts';

/** What a protected gate works with. */
export interface ProtectedGateOptions {
  readonly gate: IngestGate;
  readonly limits: IngestLimits;
  /** New connections by address; those of RTMP have been counted when they were accepted. */
  readonly arrivals: AddressBuckets;
  /** Refused keys by address. */
  readonly failures: AddressBuckets;
  readonly log: LimitLog;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** Time over which a rate is taken, milliseconds: a key frame in it does not count as a flood. */
const RATE_WINDOW_MS = 2_000;
const MS_PER_SECOND = 1_000;

/** Admits who the gate behind it admits, unless the address has had its share. */
export class ProtectedGate implements IngestGate {
  readonly #options: ProtectedGateOptions;
  readonly #admitted = new Map<string, number>();

  constructor(options: ProtectedGateOptions) {
    this.#options = options;
  }

  /** Refuses where a limit is met, with the time to wait; asks the gate otherwise. */
  admit(request: PublishRequest): Result<Admission, PublishRefusal> {
    const { remoteAddress } = request;
    const network = networkOf(remoteAddress);
    const refusal = this.#refusal(request, network);
    if (refusal !== undefined) {
      this.#options.log.add(refusal, remoteAddress);
      return fail({ reason: 'not-decided', detail: refusal });
    }
    const admitted = this.#options.gate.admit(request);
    if (!admitted.ok) {
      this.#note(admitted.failure, remoteAddress);
      return admitted;
    }
    this.#admitted.set(network, (this.#admitted.get(network) ?? 0) + 1);
    return ok(this.#watch(admitted.value, request, network));
  }

  #refusal({ protocol, remoteAddress }: PublishRequest, network: string): string | undefined {
    const { arrivals, failures, limits } = this.#options;
    if (failures.waitSeconds(remoteAddress) > 0) {
      return 'too many refused keys from this address: wait a minute, then try with the right key';
    }
    if (protocol === 'srt' && !arrivals.take(remoteAddress)) {
      return 'too many new connections from this address: try again in a few seconds';
    }
    return (this.#admitted.get(network) ?? 0) >= limits.connectionsPerAddress
      ? 'this address publishes as many streams as it may (ingestLimits.connectionsPerAddress)'
      : undefined;
  }

  #note({ reason }: PublishRefusal, remoteAddress: string): void {
    if (reason === 'wrong-key' || reason === 'missing-key') {
      this.#options.failures.take(remoteAddress);
    }
  }

  #watch(admission: Admission, request: PublishRequest, network: string): Admission {
    let released = false;
    const pending = admission.pending?.then((refusal) => {
      if (refusal !== undefined) {
        this.#note(refusal, request.remoteAddress);
      }
      return refusal;
    });
    return {
      stream: admission.stream,
      pending,
      // RTMP is slowed down at its socket; SRT cannot be: what is not read in time is lost all the same.
      start: (feed) => admission.start(request.protocol === 'srt' ? this.#measured(feed) : feed),
      release: () => {
        if (!released) {
          released = true;
          this.#forget(network);
        }
        admission.release();
      },
    };
  }

  #forget(network: string): void {
    const left = (this.#admitted.get(network) ?? 1) - 1;
    if (left > 0) {
      this.#admitted.set(network, left);
    } else {
      this.#admitted.delete(network);
    }
  }

  #measured(feed: MediaFeed): MediaFeed {
    return { ...feed, close: (detail) => feed.close(detail), events: this.#limited(feed) };
  }

  /** Ends a feed that brings more than it may; what came until then is handed on. */
  async *#limited(feed: MediaFeed): AsyncGenerator<FeedEvent, void, undefined> {
    const { limits, log, now } = this.#options;
    const windowBytes = (maxBytesPerSecond(limits) * RATE_WINDOW_MS) / MS_PER_SECOND;
    let since = now();
    let bytes = 0;
    for await (const event of feed.events) {
      yield event;
      if (now() - since > RATE_WINDOW_MS) {
        since = now();
        bytes = 0;
      }
      bytes += event.kind === 'media' ? event.bytes.length : 0;
      if (bytes > windowBytes) {
        bytes = 0;
        const detail = `more than ${limits.maxMbps} Mbit/s (ingestLimits.maxMbps)`;
        log.add(`SRT publisher ended: ${detail}`, feed.remoteAddress);
        feed.close(detail);
      }
    }
  }
}
