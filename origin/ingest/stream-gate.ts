/**
 * Who may publish: a valid name, a key or somebody's word, one primary and one backup per stream, a bounded number of
 * streams.
 */

import { readAddressText } from '#shared/access/ip-address.ts';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';
import { fail, ok, type Result } from '#shared/result.ts';
import type { Log } from '../log.ts';
import { decideInTurn, type PublishDecider, type PublishDecision } from './access/publish-decision.ts';
import type { PublishKeys } from './access/publish-keys.ts';
import {
  parseFeedRole,
  type Admission,
  type FeedRole,
  type IngestGate,
  type MediaFeed,
  type PublishRefusal,
  type PublishRequest,
} from './media-feed.ts';

/** A stream's name that is taken, in one of its roles. */
export interface LivePublisher {
  readonly stream: StreamName;
  readonly role: FeedRole;
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
  readonly onStart: (feed: MediaFeed, role: FeedRole) => void;
  readonly log: Log;
  readonly now?: () => number;
}

/** What a publisher takes. */
interface Taken {
  readonly stream: StreamName;
  readonly role: FeedRole;
}

/** A name and a role that are taken. */
interface Entry {
  readonly publisher: LivePublisher;
  feed: MediaFeed | undefined;
}

/** Admits publishers and knows who is live. */
export class StreamGate implements IngestGate {
  readonly #options: StreamGateOptions;
  readonly #live = new Map<StreamName, Map<FeedRole, Entry>>();

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
    const role = parseFeedRole(request.role);
    if (role === undefined) {
      return this.#refuse(request, { reason: 'invalid-role', detail: 'role is neither primary nor backup' });
    }
    const decision = this.#decide(request, stream);
    if (decision instanceof Promise) {
      return ok(this.#enterLater(request, { stream, role }, decision));
    }
    const refusal = this.#explain(decision) ?? this.#checkRoom({ stream, role });
    return refusal === undefined
      ? ok(this.#enter(request, { stream, role }))
      : this.#refuse(request, refusal, { stream, decision });
  }

  /** Admits a feed that the origin fetches itself, as its operator asked: nobody has to show a key. */
  admitPull(request: {
    readonly stream: StreamName;
    readonly remoteAddress: string;
  }): Result<Admission, PublishRefusal> {
    const taken: Taken = { stream: request.stream, role: 'primary' };
    const refusal = this.#checkRoom(taken);
    return refusal === undefined
      ? ok(this.#enter({ ...request, protocol: 'srt', key: undefined }, taken))
      : fail(refusal);
  }

  /** Everyone whose name is taken, in order of admission. */
  live(): readonly LivePublisher[] {
    return [...this.#live.values()].flatMap((roles) =>
      Array.from(roles.values(), (entry) => entry.publisher),
    );
  }

  /** Ends a stream's feeds from our side; false when it is not live. */
  stop(stream: StreamName, detail: string): boolean {
    const feeds = [...(this.#live.get(stream)?.values() ?? [])].flatMap(({ feed }) => feed ?? []);
    for (const feed of feeds) {
      feed.close(detail);
    }
    return feeds.length > 0;
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

  #checkRoom({ stream, role }: Taken): PublishRefusal | undefined {
    const stopped = this.#options.stoppedUntil?.(stream);
    if (stopped !== undefined) {
      const until =
        stopped === null ? 'until it is started again' : `until ${new Date(stopped).toISOString()}`;
      return { reason: 'stopped', detail: `the stream is stopped ${until}` };
    }
    const roles = this.#live.get(stream);
    if (roles?.has(role) === true) {
      const what = role === 'primary' ? 'a publisher' : 'a backup publisher';
      return { reason: 'already-live', detail: `the stream has ${what}: end that one first` };
    }
    const { maxStreams } = this.#options;
    return roles === undefined && this.#live.size >= maxStreams
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
  #enterLater(request: PublishRequest, taken: Taken, decided: Promise<PublishDecision>): Admission {
    const { stream } = taken;
    let entered: Admission | undefined;
    let released = false;
    const settle = (decision: PublishDecision): PublishRefusal | undefined => {
      const refusal = this.#explain(decision) ?? this.#checkRoom(taken);
      if (refusal !== undefined) {
        return this.#refuse(request, refusal, { stream, decision }).failure;
      }
      if (released) {
        return { reason: 'not-decided', detail: 'the publisher left before it was decided' };
      }
      entered = this.#enter(request, taken);
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

  #enter({ protocol, remoteAddress }: PublishRequest, { stream, role }: Taken): Admission {
    const now = this.#options.now ?? Date.now;
    const entry: Entry = {
      publisher: { stream, role, protocol, remoteAddress, since: now() },
      feed: undefined,
    };
    this.#live.set(stream, (this.#live.get(stream) ?? new Map<FeedRole, Entry>()).set(role, entry));
    return {
      stream,
      start: (feed) => {
        if (this.#live.get(stream)?.get(role) !== entry || entry.feed !== undefined) {
          throw new Error(`stream ${stream}: a feed starts once, between admission and release`);
        }
        entry.feed = feed;
        this.#options.onStart(feed, role);
      },
      release: () => this.#leave(entry),
    };
  }

  /** A late or repeated release must not free the name of the publisher that came after. */
  #leave(entry: Entry): void {
    const { stream, role } = entry.publisher;
    const roles = this.#live.get(stream);
    if (roles?.get(role) !== entry) {
      return;
    }
    roles.delete(role);
    if (roles.size === 0) {
      this.#live.delete(stream);
    }
  }
}
