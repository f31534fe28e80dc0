/** Puts the limits of the ingest ports together: one count by address for RTMP, RTMPS and SRT. */

import type { Log } from '../../log.ts';
import type { IngestGate } from '../media-feed.ts';
import { AddressBuckets } from './address-buckets.ts';
import { LimitLog } from './limit-log.ts';
import { ProtectedGate } from './protected-gate.ts';
import { maxBytesPerSecond, type IngestLimits } from './settings.ts';

/** What the RTMP and RTMPS servers ask and keep to. */
export interface ConnectionProtection {
  /** Counts a new connection; false where its address opens too many. */
  arrives(remoteAddress: string): boolean;
  /** Bytes a second of one connection. */
  readonly bytesPerSecond: number;
  /** Says that a connection is held to that rate. */
  limited(remoteAddress: string): void;
}

/** Options that every ingest server takes. */
export interface IngestProtection {
  readonly gate: IngestGate;
  readonly protection: ConnectionProtection;
  readonly limits: { readonly connections: number; readonly connectionsPerAddress: number };
}

const SECONDS_PER_MINUTE = 60;

/** Protects a gate and the ports in front of it. */
export function protectIngest(gate: IngestGate, limits: IngestLimits, log: Log): IngestProtection {
  const now = (): number => performance.now();
  const limitLog = new LimitLog(log, now);
  const arrivals = new AddressBuckets({ size: limits.newAtOnce, perSecond: limits.newPerSecond }, now);
  const perSecond = limits.failedPerMinute / SECONDS_PER_MINUTE;
  const failures = new AddressBuckets({ size: limits.failedAtOnce, perSecond }, now);
  const { connections, connectionsPerAddress } = limits;
  return {
    gate: new ProtectedGate({ gate, limits, arrivals, failures, log: limitLog, now }),
    limits: { connections, connectionsPerAddress },
    protection: {
      bytesPerSecond: maxBytesPerSecond(limits),
      arrives: (remoteAddress) => {
        const taken = arrivals.take(remoteAddress);
        if (!taken) {
          limitLog.add('RTMP connection refused: too many new ones from this address', remoteAddress);
        }
        return taken;
      },
      limited: (remoteAddress) =>
        limitLog.add(
          `RTMP publisher is read at ${limits.maxMbps} Mbit/s (ingestLimits.maxMbps)`,
          remoteAddress,
        ),
    },
  };
}
