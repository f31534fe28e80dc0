/** Who may publish: a valid name, a key or somebody's word, one publisher per stream, a bounded number of streams. */

import { readAddressText } from '#shared/access/ip-address.ts';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';
import { fail, ok, type Result } from '#shared/result.ts';
import type { Log } from '../log.ts';
import { decideInTurn, type PublishDecider, type PublishDecision } from './access/publish-decision.ts';
import type { PublishKeys } from './access/publish-keys.ts';
import type { Admission, IngestGate, MediaFeed, PublishRefusal, PublishRequest } from './media-feed.ts';

/** A stream whose name is taken. */
export interface LivePublisher {
  readonly stream: StreamName;
  readonly protocol: PublishRequest['protocol'];
  readonly remoteAddress: string;
  /** When it was admitted, Unix milliseconds. */
  readonly since: number;
}

/** What the gate is opened with. */
export interface StreamGateOptions {
  readonly keys: PublishKeys;
  /** Asked in this order, each where no one before it has allowed, for who has not shown a key. */
  readonly deciders?: readonly PublishDecider[];
  /** Streams that may be live at once on this origin. */
  readonly maxStreams: number;
  /** Until when an operator has stopped a stream: Unix milliseconds, `null` without end, `undefined` when it is not. */
  readonly stoppedUntil?: (stream: StreamName) => number | null | undefined;
  /** Takes over the feed of a publisher that may send; called in the turn in which it starts. */
  readonly onStart: (feed: MediaFeed) => void;
  readonly log: Log;
  readonly now?: () => number;
}

/** Admits publishers and knows who is live. */
export class StreamGate implements IngestGate {
  readonly #options: StreamGateOptions;
  readonly #live = new Map<StreamName, { readonly publisher: LivePublisher; feed: MediaFeed | undefined }>();

  constructor(options: StreamGateOptions) {
    this.#options = options;
  }

  /** Admits a publisher, or says why not: whether a key was missing, empty or wrong is told to the log alone. */
  admit(request: PublishRequest): Result<Admission, PublishRefusal> {
    const name = parseStreamName(request.stream);
    if (!name.ok) {
      return this.#refuse(request, {
        reason: 'invalid-name',
        detail: `not a stream name: ${name.failure.expected}`,
      });
    }
    const stream = name.value;
    const decision = this.#decide(request, stream);
    if (decision instanceof Promise) {
      return ok(this.#enterLater(request, stream, decision));
    }
    const refusal = this.#explain(decision) ?? this.#checkRoom(stream);
    return refusal === undefined
      ? ok(this.#enter(request, stream))
      : this.#refuse(request, refusal, { stream, decision });
  }

  /** Everyone whose name is taken, in order of admission. */
  live(): readonly LivePublisher[] {
    return [...this.#live.values()].map((entry) => entry.publisher);
  }

  /** Ends a stream's feed from our side; false when it is not live. */
  stop(stream: StreamName, detail: string): boolean {
    const feed = this.#live.get(stream)?.feed;
    feed?.close(detail);
    return feed !== undefined;
  }

  #decide(request: PublishRequest, stream: StreamName): PublishDecision | Promise<PublishDecision> {
    const { keys, deciders = [] } = this.#options;
    const { protocol, key: credential = '' } = request;
    return keys.opens(stream, credential)
      ? { kind: 'allowed' }
      : decideInTurn(deciders, {
          stream,
          protocol,
          credential,
          address: readAddressText(request.remoteAddress),
        });
  }

  /** What the publisher is told: not which of several ways to be allowed was tried, and nothing of the reasons. */
  #explain(decision: PublishDecision): PublishRefusal | undefined {
    switch (decision.kind) {
      case 'allowed':
        return undefined;
      case 'refused':
        return { reason: 'wrong-key', detail: 'not the publish key of this stream' };
      case 'undecided':
        return { reason: 'not-decided', detail: 'it cannot be decided now: try again' };
    }
  }

  #checkRoom(stream: StreamName): PublishRefusal | undefined {
    const stopped = this.#options.stoppedUntil?.(stream);
    if (stopped !== undefined) {
      const until =
        stopped === null ? 'until it is started again' : `until ${new Date(stopped).toISOString()}`;
      return { reason: 'stopped', detail: `the stream is stopped ${until}` };
    }
    if (this.#live.has(stream)) {
      return { reason: 'already-live', detail: 'the stream has a publisher: end that one first' };
    }
    const { maxStreams } = this.#options;
    return this.#live.size >= maxStreams
      ? {
          reason: 'too-many-streams',
          detail: `${maxStreams} streams are live, which is the limit (maxStreams)`,
        }
      : undefined;
  }

  #refuse(
    request: PublishRequest,
    refusal: PublishRefusal,
    cause?: { readonly stream: StreamName; readonly decision: PublishDecision },
  ): { readonly ok: false; readonly failure: PublishRefusal } {
    const { protocol, remoteAddress, key = '' } = request;
    const decided = cause === undefined || cause.decision.kind === 'allowed' ? refusal : cause.decision;
    const detail = refusal.reason === 'wrong-key' && key === '' ? 'no key was given' : decided.detail;
    const facts = { stream: cause?.stream, protocol, remoteAddress, reason: refusal.reason, detail };
    this.#options.log.warn(facts, 'refused');
    return fail(refusal);
  }

  /**
   * The name is taken when the decision has come, not before: whoever waits for a refusal keeps nobody else out, and
   * learns nothing of who is live.
   */
  #enterLater(request: PublishRequest, stream: StreamName, decided: Promise<PublishDecision>): Admission {
    let entered: Admission | undefined;
    let released = false;
    const settle = (decision: PublishDecision): PublishRefusal | undefined => {
      const refusal = this.#explain(decision) ?? this.#checkRoom(stream);
      if (refusal !== undefined) {
        return this.#refuse(request, refusal, { stream, decision }).failure;
      }
      if (released) {
        return { reason: 'not-decided', detail: 'the publisher left before it was decided' };
      }
      entered = this.#enter(request, stream);
      return undefined;
    };
    return {
      stream,
      pending: decided.catch((error: unknown) => this.#undecided(error, stream)).then(settle),
      start: (feed) => {
        if (entered === undefined) {
          throw new Error(`stream ${stream}: a feed starts when its publisher has been admitted`);
        }
        entered.start(feed);
      },
      release: () => {
        released = true;
        entered?.release();
      },
    };
  }

  #undecided(error: unknown, stream: StreamName): PublishDecision {
    this.#options.log.error({ err: error, stream }, 'a publisher could not be decided on');
    return { kind: 'undecided', detail: 'a fault of this server' };
  }

  #enter(request: PublishRequest, stream: StreamName): Admission {
    const { protocol, remoteAddress } = request;
    const now = this.#options.now ?? Date.now;
    const publisher: LivePublisher = { stream, protocol, remoteAddress, since: now() };
    const entry: { readonly publisher: LivePublisher; feed: MediaFeed | undefined } = {
      publisher,
      feed: undefined,
    };
    this.#live.set(stream, entry);
    return {
      stream,
      start: (feed) => {
        if (this.#live.get(stream) !== entry || entry.feed !== undefined) {
          throw new Error(`stream ${stream}: a feed starts once, between admission and release`);
        }
        entry.feed = feed;
        this.#options.onStart(feed);
      },
      release: () => {
        // A late or repeated release must not free the name of the publisher that came after.
        if (this.#live.get(stream) === entry) {
          this.#live.delete(stream);
        }
      },
    };
  }
}
