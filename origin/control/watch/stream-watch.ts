/** Looks at every live stream once a second: tells that it has started, is degraded, is over. */

import type { StreamName } from '#shared/identifiers.ts';
import type { SrtStatistics } from '../../ingest/srt/statistics.ts';
import type { StreamMeasure, StreamTelemetry } from '../../stream/stream-telemetry.ts';
import type { EventLog } from '../event-log.ts';
import type { StreamStatus } from '../stream-status.ts';
import {
  advance,
  HEALTHY,
  judge,
  type DegradedLimits,
  type Degradation,
  type HealthState,
} from './degradation.ts';

/** How often streams are looked at, milliseconds. */
const PERIOD_MS = 1_000;
/** What SRT losses are looked back at, periods. */
const SRT_PERIODS = 10;
/** Fewer packets than this say nothing of a link. */
const MIN_PACKETS = 100;

/** What is known of a stream beside its status. */
export interface WatchedStream {
  readonly measure: StreamMeasure;
  readonly degraded: readonly Degradation[];
  readonly srt: SrtStatistics | undefined;
}

/** What a watch looks at. */
export interface StreamWatchOptions {
  readonly streams: () => readonly StreamStatus[];
  readonly srt: () => readonly SrtStatistics[];
  readonly storageAway: () => boolean;
  readonly limits: () => DegradedLimits;
  readonly events: EventLog;
  readonly now: () => number;
}

interface Watched {
  readonly telemetry: StreamTelemetry;
  started: boolean;
  health: HealthState;
  degraded: readonly Degradation[];
  packets: { readonly lost: number; readonly received: number }[];
}

/** Watches streams from their first publisher on. */
export class StreamWatch {
  readonly #options: StreamWatchOptions;
  readonly #watched = new Map<StreamName, Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StreamWatchOptions) {
    this.#options = options;
  }

  /** Begins to look. */
  start(): void {
    this.#timer = setInterval(() => this.look(), PERIOD_MS);
    this.#timer.unref();
  }

  /** Ends it. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** A stream has its first publisher. */
  add(stream: StreamName, telemetry: StreamTelemetry): void {
    this.#watched.set(stream, { telemetry, started: false, health: HEALTHY, degraded: [], packets: [] });
  }

  /** What is known of a stream that is watched. */
  get(stream: StreamName): WatchedStream | undefined {
    const watched = this.#watched.get(stream);
    const srt = this.#options.srt().find((link) => link.stream === stream);
    return watched && { measure: watched.telemetry.measure(), degraded: watched.degraded, srt };
  }

  /** Looks at all streams now. */
  look(): void {
    const links = new Map(this.#options.srt().map((link) => [link.stream, link]));
    for (const status of this.#options.streams()) {
      const watched = this.#watched.get(status.stream);
      if (watched !== undefined) {
        this.#tellStart(status, watched);
        this.#judge(status, watched, links.get(status.stream));
      }
    }
  }

  /** A stream is over; `why` in place of how its last feed ended. True when it had been on air. */
  over(status: StreamStatus, why?: string): boolean {
    const watched = this.#watched.get(status.stream);
    this.#watched.delete(status.stream);
    if (watched === undefined) {
      return false;
    }
    this.#tellStart(status, watched);
    if (watched.started) {
      const { lastEnd } = watched.telemetry;
      const { mediaSeconds } = watched.telemetry.measure();
      const detail = lastEnd !== undefined && 'detail' in lastEnd ? { detail: lastEnd.detail } : {};
      this.#options.events.publish('stream.stopped', status.stream, {
        reason: why ?? lastEnd?.reason ?? 'failed',
        ...(why === undefined ? detail : {}),
        startedAt: new Date(status.since).toISOString(),
        mediaSeconds,
        nextMsn: status.nextMsn ?? null,
      });
    }
    return watched.started;
  }

  #tellStart(status: StreamStatus, watched: Watched): void {
    if (watched.started || status.renditions.length === 0) {
      return;
    }
    watched.started = true;
    const { protocol, remoteAddress, source, renditions, since } = status;
    this.#options.events.publish('stream.started', status.stream, {
      ...{ protocol, remoteAddress, renditions },
      source: { video: source?.video ?? null, audio: source?.audio ?? null },
      startedAt: new Date(since).toISOString(),
    });
  }

  #judge(status: StreamStatus, watched: Watched, link: SrtStatistics | undefined): void {
    const { encoderSpeed, partTiming } = watched.telemetry.measure();
    const limits = this.#options.limits();
    const found = judge(
      {
        encoderSpeed,
        partLatenessP95Ms: partTiming?.p95Ms,
        hubConnected: status.hub?.connected,
        storageAway: this.#options.storageAway(),
        srtLoss: srtLoss(watched, link),
      },
      limits,
    );
    const { state, told } = advance(watched.health, found, { now: this.#options.now(), limits });
    const before = watched.degraded.map(({ reason }) => reason).sort();
    watched.health = state;
    watched.degraded = told;
    const after = told.map(({ reason }) => reason).sort();
    if (after.some((reason) => !before.includes(reason))) {
      this.#options.events.publish('stream.degraded', status.stream, { reasons: told });
    } else if (before.length > 0 && after.length === 0) {
      this.#options.events.publish('stream.recovered', status.stream, { reasons: before });
    }
  }
}

/** Packets missing at first of those of the last ten seconds. */
function srtLoss(watched: Watched, link: SrtStatistics | undefined): number | undefined {
  if (link === undefined) {
    watched.packets = [];
    return undefined;
  }
  const newest = { lost: link.packetsLost, received: link.packetsReceived };
  const isNewLink = newest.received < (watched.packets.at(-1)?.received ?? 0);
  watched.packets = [...(isNewLink ? [] : watched.packets), newest].slice(-SRT_PERIODS);
  const oldest = watched.packets[0] ?? newest;
  const received = newest.received - oldest.received;
  return received < MIN_PACKETS ? undefined : (newest.lost - oldest.lost) / received;
}
