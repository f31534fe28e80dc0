/** Viewers and health of each stream in the last ten seconds, kept in memory by what sessions send anyway. */

import { HEARTBEAT_MS } from '../../../shared/qos/beacon.ts';
import { DELIVERY_EVENT, type QosPoint } from '../../../shared/qos/schema.ts';

/** Time that health is told of, seconds. */
const WINDOW_SECONDS = 10;
/** A session that is silent for longer is gone: a heartbeat, and half of one for its way. */
const SILENCE_MS = HEARTBEAT_MS * 1.5;
/** A stream of which nothing was published for longer is not live: three words of an isolate. */
const LIVE_MS = 15_000;
/** Sessions kept, some 200 bytes each; beyond, new ones are not counted. */
const MAX_SESSIONS = 200_000;
/** Streams kept; beyond, new ones are not counted. */
const MAX_STREAMS = 5_000;

/** What a point says of now. */
export interface Heard {
  readonly stream: string;
  readonly session: string;
  readonly event: string;
  readonly watchedMs: number;
  readonly stalledMs: number;
  readonly latencyMs: number;
  readonly bitrate: number;
}

/** A stream now; health is of the last ten seconds, `null` where nothing was measured. */
export interface StreamNow {
  readonly stream: string;
  /** Whether it is being published. */
  readonly live: boolean;
  readonly viewers: number;
  /** Viewers who stand still at this moment. */
  readonly stalled: number;
  readonly rebufferingRatio: number | null;
  readonly stalls: number;
  readonly starts: number;
  readonly errors: number;
  readonly latencyMs: number | null;
  readonly bitrate: number | null;
}

interface Second {
  readonly at: number;
  watchedMs: number;
  stalledMs: number;
  stalls: number;
  starts: number;
  errors: number;
  latency: { sum: number; count: number };
  bitrate: { sum: number; count: number };
}

interface Session {
  readonly stream: string;
  readonly heardAt: number;
  readonly isStalled: boolean;
}

/** Takes from a point what is of now; `undefined` where it is of no session. */
export function heardOf(point: QosPoint): Heard | undefined {
  const { stream, session, event } = point;
  if (session === undefined || session === '' || event === undefined || event === DELIVERY_EVENT) {
    return undefined;
  }
  return {
    stream,
    session,
    event,
    watchedMs: point.watched_ms ?? 0,
    stalledMs: point.stalled_ms ?? 0,
    latencyMs: point.latency_ms ?? 0,
    bitrate: point.bitrate ?? 0,
  };
}

/** All sessions that are watching. Times are Unix ms. */
export class LiveSessions {
  readonly #sessions = new Map<string, Session>();
  readonly #streams = new Map<string, Second[]>();
  /** When a stream's publishing was last told, Unix ms. */
  readonly #live = new Map<string, number>();

  /** Notes what a session said. */
  hear(heard: Heard, now: number): void {
    const { stream, session, event } = heard;
    const before = this.#sessions.get(session);
    this.#sessions.delete(session);
    if (event !== 'end' && this.#sessions.size < MAX_SESSIONS) {
      const isStalled = event === 'stall_begin' || (before?.isStalled === true && event !== 'stall_end');
      this.#sessions.set(session, { stream, heardAt: now, isStalled });
    }
    const second = this.#second(stream, Math.floor(now / 1000));
    if (second !== undefined) {
      count(second, heard);
    }
  }

  /** Notes that a stream is being published. */
  published(stream: string, now: number): void {
    if (this.#live.has(stream) || this.#live.size < MAX_STREAMS) {
      this.#live.set(stream, now);
    }
  }

  /** Every stream that is live, or that somebody watches or watched in the last ten seconds, by name. */
  snapshot(now: number): readonly StreamNow[] {
    this.#forget(now);
    const viewers = new Map<string, { viewers: number; stalled: number }>();
    for (const { stream, isStalled } of this.#sessions.values()) {
      const of = viewers.get(stream) ?? { viewers: 0, stalled: 0 };
      viewers.set(stream, { viewers: of.viewers + 1, stalled: of.stalled + (isStalled ? 1 : 0) });
    }
    const names = new Set([...this.#live.keys(), ...viewers.keys(), ...this.#streams.keys()]);
    return [...names].sort().map((stream) => ({
      stream,
      live: this.#live.has(stream),
      ...(viewers.get(stream) ?? { viewers: 0, stalled: 0 }),
      ...health(this.#streams.get(stream) ?? []),
    }));
  }

  #second(stream: string, at: number): Second | undefined {
    const seconds = this.#streams.get(stream) ?? [];
    const last = seconds.at(-1);
    if (last?.at === at) {
      return last;
    }
    if (seconds.length === 0 && this.#streams.size >= MAX_STREAMS) {
      return undefined;
    }
    const second = {
      ...{ at, watchedMs: 0, stalledMs: 0, stalls: 0, starts: 0, errors: 0 },
      latency: { sum: 0, count: 0 },
      bitrate: { sum: 0, count: 0 },
    };
    this.#streams.set(stream, [...seconds.slice(-WINDOW_SECONDS), second]);
    return second;
  }

  /** The session heard of longest ago comes first, so the first that is not silent ends the search. */
  #forget(now: number): void {
    for (const [id, { heardAt }] of this.#sessions) {
      if (now - heardAt <= SILENCE_MS) {
        break;
      }
      this.#sessions.delete(id);
    }
    for (const [stream, publishedAt] of this.#live) {
      if (now - publishedAt > LIVE_MS) {
        this.#live.delete(stream);
      }
    }
    const first = Math.floor(now / 1000) - WINDOW_SECONDS;
    for (const [stream, seconds] of this.#streams) {
      const recent = seconds.filter(({ at }) => at > first);
      if (recent.length === 0) {
        this.#streams.delete(stream);
      } else {
        this.#streams.set(stream, recent);
      }
    }
  }
}

function count(second: Second, heard: Heard): void {
  second.watchedMs += heard.watchedMs;
  second.stalledMs += heard.stalledMs;
  second.stalls += heard.event === 'stall_begin' ? 1 : 0;
  second.starts += heard.event === 'startup' ? 1 : 0;
  second.errors += heard.event === 'error' ? 1 : 0;
  for (const [mean, value] of [
    [second.latency, heard.latencyMs],
    [second.bitrate, heard.bitrate],
  ] as const) {
    if (value > 0) {
      mean.sum += value;
      mean.count += 1;
    }
  }
}

function health(seconds: readonly Second[]): Omit<StreamNow, 'stream' | 'live' | 'viewers' | 'stalled'> {
  const total = (of: (second: Second) => number): number => seconds.reduce((sum, one) => sum + of(one), 0);
  const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);
  const stalledMs = total((one) => one.stalledMs);
  return {
    rebufferingRatio: ratio(stalledMs, stalledMs + total((one) => one.watchedMs)),
    stalls: total((one) => one.stalls),
    starts: total((one) => one.starts),
    errors: total((one) => one.errors),
    latencyMs: ratio(
      total((one) => one.latency.sum),
      total((one) => one.latency.count),
    ),
    bitrate: ratio(
      total((one) => one.bitrate.sum),
      total((one) => one.bitrate.count),
    ),
  };
}
