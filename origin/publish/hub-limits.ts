/** How much a hub publisher keeps, for how long, and how it repeats itself. */

import { MAX_BODY_BYTES } from '#shared/wire/publish.ts';
import type { Backoff } from '../backoff.ts';
import type { AcknowledgedLimits } from './send-window.ts';

/** Bounds of a hub publisher. */
export interface HubLimits {
  /** Most that may wait for the hub, bytes: a minute of a 30 Mbit/s ladder. */
  readonly waitingBytes: number;
  /** Longest that an update may wait, milliseconds: a restart of the edge, or a minute's outage, with room. */
  readonly waitingMs: number;
  /** What is kept of the acknowledged: more than a hub can lose between two of its own writes. */
  readonly acknowledged: AcknowledgedLimits;
  /** Largest request while all is well, bytes. */
  readonly bodyBytes: number;
  /** Largest request after a failed one, bytes: what also a slow path moves within the time-out. */
  readonly retryBodyBytes: number;
  /** Time for a request, milliseconds, plus a second for each MiB of its body. */
  readonly requestMs: number;
  /** Wait between tries when the hub fails or is away. */
  readonly retry: Backoff;
  /** Wait between tries when it refuses us: only a person can change that. */
  readonly refusedRetry: Backoff;
}

/** The limits used unless a test says otherwise. */
export const HUB_LIMITS: HubLimits = {
  waitingBytes: 256 * 1024 * 1024,
  waitingMs: 180_000,
  acknowledged: { maxBytes: 16 * 1024 * 1024, maxAgeMs: 10_000 },
  bodyBytes: MAX_BODY_BYTES,
  retryBodyBytes: 2 * 1024 * 1024,
  requestMs: 5_000,
  retry: { baseMs: 50, maxMs: 1_000 },
  refusedRetry: { baseMs: 10_000, maxMs: 30_000 },
};
