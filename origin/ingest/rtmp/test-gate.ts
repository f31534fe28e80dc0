/** A gate for tests: one key for all streams, and every feed written down. */

import { parseStreamName } from '#shared/identifiers.ts';
import { fail, ok, type Result } from '#shared/result.ts';
import type {
  Admission,
  FeedEvent,
  IngestGate,
  MediaFeed,
  PublishRefusal,
  PublishRequest,
} from '../media-feed.ts';

/** The key that {@link TestGate} admits. */
export const TEST_KEY = 'k/1+2';

/** What a feed brought. */
export interface RecordedFeed {
  readonly feed: MediaFeed;
  readonly events: FeedEvent[];
}

/** Admits whoever shows {@link TEST_KEY}, one publisher a name. */
export class TestGate implements IngestGate {
  readonly requests: PublishRequest[] = [];
  readonly feeds: RecordedFeed[] = [];
  readonly live = new Set<string>();
  /** Set to false to leave feeds unread. */
  reading = true;
  /** Set to leave what is admitted to be decided. */
  pending: Promise<PublishRefusal | undefined> | undefined;

  admit(request: PublishRequest): Result<Admission, PublishRefusal> {
    this.requests.push(request);
    const name = parseStreamName(request.stream);
    if (!name.ok) {
      return fail({ reason: 'invalid-name', detail: name.failure.expected });
    }
    if (request.key !== TEST_KEY) {
      return fail({ reason: 'wrong-key', detail: 'the publish key is not that of the stream' });
    }
    if (this.live.has(name.value)) {
      return fail({ reason: 'already-live', detail: 'somebody already publishes this stream' });
    }
    this.live.add(name.value);
    return ok({
      stream: name.value,
      pending: this.pending,
      start: (feed) => this.#record(feed),
      release: () => this.live.delete(name.value),
    });
  }

  /** The feeds of a stream, oldest first. */
  feedsOf(stream: string): readonly RecordedFeed[] {
    return this.feeds.filter(({ feed }) => feed.stream === stream);
  }

  /** How the last feed of a stream ended, `undefined` while it has not. */
  endOf(stream: string): unknown {
    const last = this.feedsOf(stream).at(-1)?.events.at(-1);
    return last?.kind === 'end' ? last.end : undefined;
  }

  #record(feed: MediaFeed): void {
    const events: FeedEvent[] = [];
    this.feeds.push({ feed, events });
    if (this.reading) {
      void collect(feed, events);
    }
  }
}

/** Reads a feed to its end. */
export async function collect(feed: MediaFeed, into: FeedEvent[]): Promise<void> {
  for await (const event of feed.events) {
    into.push(event);
  }
}
