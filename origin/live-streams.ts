/** The streams of this origin: each begins with its first publisher and is forgotten when it is over. */

import type { StreamName } from '#shared/identifiers.ts';
import type { ControlPlane } from './control/control-plane.ts';
import type { StreamStatus } from './control/stream-status.ts';
import type { FeedRole, MediaFeed } from './ingest/media-feed.ts';
import type { LiveSettings } from './live-settings.ts';
import type { Log } from './log.ts';
import type { Retention } from './publish/retention/start.ts';
import { RedundantStream } from './redundancy/redundant-stream.ts';
import type { Restreams } from './restream/restreams.ts';
import type { Destinations } from './stream/publication.ts';
import type { KnownEncoders } from './transcode/known-encoders.ts';
import type { Ladder } from './transcode/ladder.ts';

/** What every stream works with. */
export interface LiveStreamsOptions {
  /** This origin's name towards the hubs. */
  readonly origin: string;
  readonly ffmpegPath: string;
  readonly settings: LiveSettings<Ladder>;
  readonly control: ControlPlane;
  readonly encoders: KnownEncoders;
  readonly destinations: Destinations;
  readonly restreams: Restreams;
  readonly retention: Pick<Retention, 'noteStream'>;
  readonly log: Log;
}

/** The streams that have a publisher, or wait for one to come back. */
export class LiveStreams {
  readonly #options: LiveStreamsOptions;
  readonly #streams = new Map<StreamName, RedundantStream>();

  constructor(options: LiveStreamsOptions) {
    this.#options = options;
  }

  /** Takes a publisher's feed. */
  attach(feed: MediaFeed, role: FeedRole): void {
    (this.#streams.get(feed.stream) ?? this.#begin(feed.stream)).attach(feed, role);
  }

  /** What is known of each right now. */
  list(): readonly StreamStatus[] {
    return Array.from(this.#streams.values(), (stream) => stream.status());
  }

  /** Ends a stream from our side; false when it is not live. */
  end(stream: StreamName, detail: string): boolean {
    const live = this.#streams.get(stream);
    live?.end(detail);
    return live !== undefined;
  }

  /** Publishes what is under way, and lets all streams go. */
  async close(): Promise<void> {
    const streams = [...this.#streams.values()];
    await Promise.all(streams.map((stream) => stream.close()));
    for (const stream of this.#streams.values()) {
      this.#options.control.streamOver(stream.status(), 'origin-stopping');
    }
  }

  #begin(stream: StreamName): RedundantStream {
    const { origin, ffmpegPath, settings, control, encoders, destinations, restreams, retention, log } =
      this.#options;
    const begun = new RedundantStream({
      ...{ stream, origin, ffmpegPath, destinations, redundancy: settings.current.redundancy },
      settings: control.settingsFor(stream),
      encoders: encoders.table,
      telemetry: control.streamBegins(stream),
      log: log.child({ stream }),
      now: Date.now,
      tap: restreams.tap(stream),
      onOver: () => {
        if (this.#streams.get(stream) === begun) {
          control.streamOver(begun.status());
          this.#streams.delete(stream);
        }
      },
    });
    this.#streams.set(stream, begun);
    retention.noteStream(stream);
    return begun;
  }
}
