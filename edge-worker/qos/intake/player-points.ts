/** From a player's events to the points that are written. */

import type { BeaconEvent } from '../../../shared/qos/beacon.ts';
import type { QosPoint } from '../../../shared/qos/schema.ts';
import type { QosIdentity } from '../identity.ts';
import type { RequestFacts } from '../request-facts.ts';
import { eventTime } from './event-time.ts';
import type { ReplayGuard } from './replay-guard.ts';

/** A player's report, be it a beacon or CMCD. */
export interface PlayerReport {
  readonly stream: string;
  readonly player: string;
  readonly playerVersion: string;
  /** Unix ms by the viewer's clock. */
  readonly sentAt: number;
  readonly source: 'beacon' | 'cmcd';
  readonly events: readonly (BeaconEvent & { readonly throughput?: number })[];
}

/** What became of a report's events. */
export interface TakenReport {
  readonly points: readonly QosPoint[];
  readonly replayed: number;
  readonly tooOld: number;
}

/** Makes the points of a report; events that came before or are older than a day are counted and left out. */
export function playerPoints(
  report: PlayerReport,
  context: {
    readonly identity: QosIdentity;
    readonly facts: RequestFacts;
    readonly guard: ReplayGuard;
    /** Unix ms. */
    readonly now: number;
  },
): TakenReport {
  const points: QosPoint[] = [];
  let replayed = 0;
  let tooOld = 0;
  for (const event of report.events) {
    const at = eventTime({ at: event.at, sentAt: report.sentAt, now: context.now });
    if (at === undefined) {
      tooOld += 1;
    } else if (context.guard.isNew(context.identity.session, event.seq)) {
      points.push(pointOf(event, { report, at, ...context }));
    } else {
      replayed += 1;
    }
  }
  return { points, replayed, tooOld };
}

function pointOf(
  event: PlayerReport['events'][number],
  context: {
    readonly report: PlayerReport;
    readonly identity: QosIdentity;
    readonly facts: RequestFacts;
    readonly at: number;
  },
): QosPoint {
  const { report, identity, facts, at } = context;
  const { height } = event;
  return {
    stream: report.stream,
    event: event.event,
    ...identity,
    ...facts,
    rendition: height === undefined || height === 0 ? '' : `${height}p`,
    player: report.player,
    player_version: report.playerVersion,
    error_code: event.errorCode ?? '',
    detail: event.detail ?? '',
    source: report.source,
    watched_ms: event.watchedMs ?? 0,
    stalled_ms: event.stalledMs ?? 0,
    startup_ms: event.startupMs ?? 0,
    bitrate: event.bitrate ?? 0,
    height: height ?? 0,
    latency_ms: event.latencyMs ?? 0,
    buffer_ms: event.bufferMs ?? 0,
    dropped_frames: event.droppedFrames ?? 0,
    decoded_frames: event.decodedFrames ?? 0,
    played_rate: event.playedRate ?? 0,
    seq: event.seq,
    exit_before_start: event.exitBeforeStart === true ? 1 : 0,
    throughput: event.throughput ?? 0,
    at_ms: at,
  };
}
