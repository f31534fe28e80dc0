/** All targets of all streams: what a stream's pipeline takes is also offered to them. */

import type { StreamName } from '#shared/identifiers.ts';
import type { FeedContainer, FeedEvent } from '../ingest/media-feed.ts';
import type { Log } from '../log.ts';
import type { RestreamStatus } from './restream-status.ts';
import { RestreamTarget } from './restream-target.ts';
import type { RestreamTargetSettings } from './settings.ts';

/** Is shown each step of a stream's feed as it is taken; never waits and never throws. */
export type FeedTap = (event: FeedEvent, container: FeedContainer) => void;

/** What targets work with. */
export interface RestreamsOptions {
  readonly streams: ReadonlyMap<StreamName, readonly RestreamTargetSettings[]>;
  readonly ffmpegPath: string;
  /** A folder of ours that can be written. */
  readonly folder: string;
  readonly log: Log;
}

/** The targets, from the origin's start to its end. */
export class Restreams {
  readonly #log: Log;
  readonly #targets: ReadonlyMap<StreamName, readonly RestreamTarget[]>;

  constructor({ streams, ffmpegPath, folder, log }: RestreamsOptions) {
    this.#log = log;
    const parts = { ffmpegPath, folder, now: () => performance.now(), random: Math.random };
    this.#targets = new Map(
      Array.from(streams, ([stream, targets]) => [
        stream,
        targets.map((settings) => new RestreamTarget({ ...parts, settings, log: log.child({ stream }) })),
      ]),
    );
  }

  /** What a stream's feed is to be shown to; `undefined` where it has no target. */
  tap(stream: StreamName): FeedTap | undefined {
    const targets = this.#targets.get(stream);
    return (
      targets && ((event, container) => targets.forEach((target) => this.#offer(target, event, container)))
    );
  }

  /** Each target of a stream. */
  status(stream: StreamName): readonly RestreamStatus[] {
    return (this.#targets.get(stream) ?? []).map((target) => target.status());
  }

  /** Ends all. */
  async close(): Promise<void> {
    await Promise.all([...this.#targets.values()].flat().map((target) => target.close()));
  }

  /** A fault in one target is neither the stream's nor its neighbours'. */
  #offer(target: RestreamTarget, event: FeedEvent, container: FeedContainer): void {
    try {
      target.take(event, container);
    } catch (error) {
      this.#log.error({ err: error }, 'restream failed');
    }
  }
}
