/** Starts retention for an origin: which streams, how long, who is asked. */

import { join } from 'node:path';
import type { StreamName } from '#shared/identifiers.ts';
import type { Log } from '../../log.ts';
import type { HttpSend } from '../http-client.ts';
import { fetchHubPosition } from '../hub-position.ts';
import { openObjectCleaner } from '../object-cleaner.ts';
import type { ObjectStoreSettings } from '../s3-request.ts';
import { KnownStreams } from './known-streams.ts';
import type { RecordingSettings, RetentionSettings } from './settings.ts';
import { RetentionSweeper, type RetentionStats } from './sweeper.ts';

/** What retention is started with. */
export interface RetentionOptions {
  readonly objectStore: ObjectStoreSettings;
  readonly edgeUrl: URL;
  readonly serviceToken: string;
  readonly dataDir: string;
  readonly settings: RetentionSettings;
  readonly recordingOf: (stream: StreamName) => RecordingSettings;
  readonly send: HttpSend;
  readonly log: Log;
}

/** Retention that runs. */
export interface Retention {
  /** A stream is published from now on. */
  noteStream(stream: StreamName): void;
  stats(): RetentionStats;
  close(): Promise<void>;
}

/** Sweeps what this origin has published, in this run or an earlier one. */
export function startRetention(options: RetentionOptions): Retention {
  const { objectStore, edgeUrl, serviceToken, send, settings, recordingOf, log } = options;
  const streams = new KnownStreams(join(options.dataDir, 'retention'));
  const sweeper = new RetentionSweeper({
    cleaner: openObjectCleaner(objectStore, send),
    streams,
    keepMs: (stream) => recordingOf(stream).keepMs,
    position: (stream) => fetchHubPosition({ edgeUrl, serviceToken, stream, send, tries: 1 }),
    sweepEveryMs: settings.sweepEveryMs,
    log,
    wallClock: Date.now,
  });
  return {
    noteStream: (stream) => streams.add(stream),
    stats: () => sweeper.stats,
    close: () => sweeper.close(),
  };
}
