/** How long requests to object storage and to the edge take, and how late parts are, as histograms and as of late. */

import { Histogram, type Registry } from 'prom-client';
import type { HttpSend } from '../publish/http-client.ts';
import type { ObjectStore } from '../publish/object-store.ts';

/** Bounds of histograms, seconds: from a server next door to one that is about to time out. */
const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** A part that is a part target late is late indeed. */
const LATENESS_BUCKETS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10];
/** Histograms of every origin: of PUTs, of requests to the edge, of parts. */
export const HISTOGRAMS = [
  {
    name: 'rill_object_put_duration_seconds',
    help: 'Time of a PUT to object storage',
    ...{ labelNames: ['outcome'], buckets: REQUEST_BUCKETS },
  },
  {
    name: 'rill_hub_request_duration_seconds',
    help: 'Time of a request to the edge',
    ...{ labelNames: ['outcome'], buckets: REQUEST_BUCKETS },
  },
  {
    name: 'rill_part_lateness_seconds',
    help: "Time from the end of a part's media to its announcement",
    ...{ labelNames: ['stream'], buckets: LATENESS_BUCKETS },
  },
] as const;
/** Times that percentiles are made of: the newest. */
const RECENT = 500;

/** Percentiles of the newest requests, milliseconds. */
export interface LatencySummary {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly maxMs: number;
}

/** Measures both ways out of the origin. */
export class Latencies {
  readonly #now: () => number;
  readonly #put: Histogram;
  readonly #hub: Histogram;
  readonly #lateness: Histogram;
  readonly #recent = { put: [] as number[], hub: [] as number[] };

  /** `now` gives milliseconds of any clock that does not step. */
  constructor(registry: Registry, now: () => number) {
    this.#now = now;
    const [put, hub, lateness] = HISTOGRAMS.map(
      (shape) =>
        new Histogram({
          ...{ name: shape.name, help: shape.help, registers: [registry] },
          ...{ labelNames: [...shape.labelNames], buckets: [...shape.buckets] },
        }),
    );
    if (put === undefined || hub === undefined || lateness === undefined) {
      throw new TypeError('three histograms are described');
    }
    this.#put = put;
    this.#hub = hub;
    this.#lateness = lateness;
  }

  /** The newest requests; `undefined` before the first. */
  get summary(): { readonly put: LatencySummary | undefined; readonly hub: LatencySummary | undefined } {
    return { put: summarize(this.#recent.put), hub: summarize(this.#recent.hub) };
  }

  /** The same store, measured. */
  measureStore(store: ObjectStore): ObjectStore {
    const put: ObjectStore['put'] = async (...request) => {
      const since = this.#now();
      const result = await store.put(...request);
      this.#took('put', since, result.ok ? 'ok' : result.failure.reason);
      return result;
    };
    return { ...store, put };
  }

  /** The same way to the edge, measured. */
  measureHub(send: HttpSend): HttpSend {
    return async (request) => {
      const since = this.#now();
      try {
        const answer = await send(request);
        this.#took('hub', since, answer.status < 400 ? 'ok' : 'refused');
        return answer;
      } catch (error) {
        this.#took('hub', since, 'unreachable');
        throw error;
      }
    };
  }

  /** A part was announced. */
  partAnnounced(stream: string, latenessMs: number): void {
    this.#lateness.observe({ stream }, latenessMs / 1_000);
  }

  /** A stream is over: its series ends. */
  forget(stream: string): void {
    this.#lateness.remove({ stream });
  }

  #took(what: 'put' | 'hub', since: number, outcome: string): void {
    const ms = this.#now() - since;
    (what === 'put' ? this.#put : this.#hub).observe({ outcome }, ms / 1_000);
    const recent = this.#recent[what];
    recent.push(ms);
    if (recent.length > RECENT) {
      recent.shift();
    }
  }
}

function summarize(times: readonly number[]): LatencySummary | undefined {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Math.round((sorted[Math.ceil(sorted.length * share) - 1] ?? 0) * 10) / 10;
  return sorted.length === 0 ? undefined : { p50Ms: at(0.5), p95Ms: at(0.95), maxMs: at(1) };
}
