/** All targets of all streams: what a stream's pipeline takes is also offered to them. */

import type { StreamName } from '#shared/identifiers.ts';
import type { FeedContainer, FeedEvent } from '../ingest/media-feed.ts';
import type { Log } from '../log.ts';
import type { RestreamStatus } from './restream-status.ts';
import { RestreamTarget } from './restream-target.ts';
import type { RestreamTargetSettings } from './settings.ts';

/** Is shown each step of a stream's feed as it is taken; never waits and never throws. */
export type FeedTap = (event: FeedEvent, container: FeedContainer) => void;

/** The targets of streams that have some. */
export type StreamTargets = ReadonlyMap<StreamName, readonly RestreamTargetSettings[]>;

/** What targets work with. */
export interface RestreamsOptions {
  readonly streams: StreamTargets;
  readonly ffmpegPath: string;
  /** A folder of ours that can be written. */
  readonly folder: string;
  readonly log: Log;
}

type SourceEvent = Extract<FeedEvent, { kind: 'source' }>;

/** The targets, from the origin's start to its end. */
export class Restreams {
  readonly #options: RestreamsOptions;
  readonly #targets = new Map<StreamName, RestreamTarget[]>();
  /** Sources of the streams that are live, for targets that join. */
  readonly #sources = new Map<
    StreamName,
    { readonly event: SourceEvent; readonly container: FeedContainer }
  >();

  constructor(options: RestreamsOptions) {
    this.#options = options;
    this.update(options.streams);
  }

  /** Takes other settings: targets that are gone end, new ones join at a key frame, the same ones notice nothing. */
  update(streams: StreamTargets): void {
    for (const stream of new Set([...this.#targets.keys(), ...streams.keys()])) {
      const before = this.#targets.get(stream) ?? [];
      const after = (streams.get(stream) ?? []).map(
        (settings) => before.find((target) => target.hasSettings(settings)) ?? this.#join(stream, settings),
      );
      this.#targets.set(stream, after);
      for (const target of before.filter((one) => !after.includes(one))) {
        void target.close();
      }
    }
  }

  /** What a stream's feed is to be shown to. */
  tap(stream: StreamName): FeedTap {
    return (event, container) => {
      if (event.kind === 'source') {
        this.#sources.set(stream, { event, container });
      } else if (event.kind === 'end') {
        this.#sources.delete(stream);
      }
      for (const target of this.#targets.get(stream) ?? []) {
        this.#offer(target, event, container);
      }
    };
  }

  /** Each target of a stream. */
  status(stream: StreamName): readonly RestreamStatus[] {
    return (this.#targets.get(stream) ?? []).map((target) => target.status());
  }

  /** Ends all. */
  async close(): Promise<void> {
    await Promise.all([...this.#targets.values()].flat().map((target) => target.close()));
  }

  #join(stream: StreamName, settings: RestreamTargetSettings): RestreamTarget {
    const { ffmpegPath, folder, log } = this.#options;
    const target = new RestreamTarget({
      ...{ ffmpegPath, folder, settings },
      log: log.child({ stream }),
      now: () => performance.now(),
      random: Math.random,
    });
    const source = this.#sources.get(stream);
    if (source !== undefined) {
      target.take(source.event, source.container);
    }
    return target;
  }

  /** A fault in one target is neither the stream's nor its neighbours'. */
  #offer(target: RestreamTarget, event: FeedEvent, container: FeedContainer): void {
    try {
      target.take(event, container);
    } catch (error) {
      this.#options.log.error({ err: error }, 'restream failed');
    }
  }
}
