/** Whether this origin should be given encoders, and what works of what it needs. */

import type { ObjectWriterStats } from '../publish/object-writer-limits.ts';
import type { Readiness, StreamStatus } from './stream-status.ts';

/** A spool so full leaves no time to act, share of its size. */
const SPOOL_FULL = 0.95;

/** Decides; what is wrong with storage or the edge alone is survived for as long as there is room on disk. */
export function readiness(state: {
  readonly config: { readonly spoolBytes: number; readonly maxStreams: number };
  readonly stopping: boolean;
  readonly hasSrt: boolean;
  readonly objects: { readonly stats: ObjectWriterStats };
  readonly streams: readonly StreamStatus[];
}): Readiness {
  const { config, stopping, hasSrt, streams } = state;
  const { away, spooledBytes, diskFault } = state.objects.stats;
  const isFull = spooledBytes >= config.spoolBytes * SPOOL_FULL;
  const hubsAway = streams.filter(({ hub }) => hub?.connected === false);
  const say = (isWrong: boolean, what: string): string => (isWrong ? what : 'ok');
  return {
    ready: !stopping && !isFull,
    checks: {
      origin: say(stopping, 'stopping'),
      rtmp: 'ok',
      srt: say(!hasSrt, 'libsrt is missing'),
      objects: say(away, 'object storage is away'),
      spool: isFull ? 'the spool is full: history gets holes' : (diskFault ?? 'ok'),
      edge: say(hubsAway.length > 0, `the edge takes no updates of ${hubsAway.length} streams`),
    },
  };
}
