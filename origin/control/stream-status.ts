/** What the control API tells, and what it needs to know it: nothing here reaches into the pipeline. */

import type { RenditionDescription } from '#shared/wire/publish.ts';
import type { StreamName } from '#shared/identifiers.ts';
import type { SourceProperties } from '../ingest/media-feed.ts';
import type { SrtPullStatus } from '../ingest/srt/pull.ts';
import type { SrtStatistics } from '../ingest/srt/statistics.ts';
import type { HubPublisherStats } from '../publish/hub-client.ts';
import type { RedundancyStatus } from '../redundancy/redundant-stream.ts';
import type { ObjectWriterStats } from '../publish/object-writer-limits.ts';
import type { RetentionStats } from '../publish/retention/sweeper.ts';
import type { RestreamStatus } from '../restream/restream-status.ts';

/** One live stream. Times are Unix milliseconds. */
export interface StreamStatus {
  readonly stream: StreamName;
  readonly protocol: 'rtmp' | 'srt';
  readonly remoteAddress: string;
  readonly since: number;
  /** `undefined` until the source is known. */
  readonly source: SourceProperties | undefined;
  readonly renditions: readonly RenditionDescription[];
  /** Segment that comes next; `undefined` before the first epoch has begun. */
  readonly nextMsn: number | undefined;
  /** When the newest part was published; `undefined` before the first. */
  readonly lastPartAt: number | undefined;
  /** `undefined` before the first epoch has begun. */
  readonly hub: HubPublisherStats | undefined;
  /** The SRT connection; `undefined` where the publisher has none, and before its first reading. */
  readonly srt?: SrtStatistics | undefined;
  /** Each target that the stream is pushed on to. */
  readonly restream?: readonly RestreamStatus[];
  /** Its feeds, and whether this origin publishes it or stands by. */
  readonly redundancy?: RedundancyStatus;
}

/** Whether the origin can do its work. */
export interface Readiness {
  readonly ready: boolean;
  /** One entry for each thing that matters (`rtmp`, `srt`, `ffmpeg`, …): `ok`, or what is wrong, without secrets. */
  readonly checks: Readonly<Record<string, string>>;
}

/** What the origin shows of itself. */
export interface StreamProvider {
  listStreams(): readonly StreamStatus[];
  /** Streams that the origin fetches, live or not. */
  listPulls?(): readonly SrtPullStatus[];
  /** Ends a stream from our side; false when it is not live. */
  stopStream(stream: StreamName): boolean;
  objectWriter(): ObjectWriterStats;
  /** What the sweep of object storage has done. */
  retention(): RetentionStats;
  readiness(): Readiness;
}
