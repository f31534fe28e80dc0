/** Who may publish: a valid name, the stream's own key, one publisher per stream, a bounded number of streams. */

import { createHmac } from 'node:crypto';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';
import { fail, ok, type Result } from '#shared/result.ts';
import { equalInConstantTime } from '../constant-time.ts';
import type { Log } from '../log.ts';
import type { Admission, IngestGate, MediaFeed, PublishRefusal, PublishRequest } from './media-feed.ts';

/** Characters of a publish key: 144 bits, short enough to be typed into an encoder. */
const PUBLISH_KEY_LENGTH = 24;
/** What the key is derived for; a change of the derivation changes the number. */
const PUBLISH_KEY_CONTEXT = 'rill publish key v1:';

/** The publish key of one stream: base64url(HMAC-SHA256(secret, context + stream)), cut to 24 characters. */
export function publishKey(secret: string, stream: StreamName): string {
  return createHmac('sha256', secret)
    .update(PUBLISH_KEY_CONTEXT + stream)
    .digest('base64url')
    .slice(0, PUBLISH_KEY_LENGTH);
}

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
  readonly publishSecret: string;
  /** Streams that may be live at once on this origin. */
  readonly maxStreams: number;
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
    const refusal = this.#checkKey(request.key, stream) ?? this.#checkRoom(stream);
    return refusal === undefined ? ok(this.#enter(request, stream)) : this.#refuse(request, refusal, stream);
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

  #checkKey(key: string | undefined, stream: StreamName): PublishRefusal | undefined {
    const expected = publishKey(this.#options.publishSecret, stream);
    return equalInConstantTime(key ?? '', expected)
      ? undefined
      : { reason: 'wrong-key', detail: 'not the publish key of this stream' };
  }

  #checkRoom(stream: StreamName): PublishRefusal | undefined {
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
    stream?: StreamName,
  ): Result<Admission, PublishRefusal> {
    const { protocol, remoteAddress } = request;
    const cause = request.key === undefined || request.key === '' ? 'no key was given' : refusal.detail;
    const detail = refusal.reason === 'wrong-key' ? cause : refusal.detail;
    this.#options.log.warn({ stream, protocol, remoteAddress, reason: refusal.reason, detail }, 'refused');
    return fail(refusal);
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
