/** What one address, and all together, may do on the ingest ports. */

import { z } from 'zod';

/** Bits in a megabit, and in a byte. */
const BITS_PER_MEGABIT = 1_000_000;
const BITS_PER_BYTE = 8;

/** The part `ingestLimits` of the configuration file. */
export const ingestLimitsSchema = z.strictObject({
  connections: z
    .int()
    .min(1)
    .max(10_000)
    .default(256)
    .describe('TCP connections at once, on RTMP and RTMPS each'),
  connectionsPerAddress: z
    .int()
    .min(1)
    .max(10_000)
    .default(64)
    .describe('connections at once from one address (IPv6: one /64)'),
  newPerSecond: z
    .number()
    .min(0.1)
    .max(10_000)
    .default(20)
    .describe('new connections a second from one address, in the long run'),
  newAtOnce: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('new connections of one address beyond that, after a rest'),
  failedAtOnce: z
    .int()
    .min(1)
    .max(10_000)
    .default(30)
    .describe('refused keys of one address before it has to wait'),
  failedPerMinute: z
    .number()
    .min(0.1)
    .max(10_000)
    .default(30)
    .describe('refused keys a minute of one address after that'),
  maxMbps: z
    .number()
    .min(0.1)
    .max(10_000)
    .default(100)
    .describe('Mbit/s of one publisher: RTMP is read no faster, SRT that sends more is ended'),
});

/** Checked limits. */
export type IngestLimits = z.infer<typeof ingestLimitsSchema>;

/** The rate of one publisher, bytes a second. */
export function maxBytesPerSecond({ maxMbps }: Pick<IngestLimits, 'maxMbps'>): number {
  return (maxMbps * BITS_PER_MEGABIT) / BITS_PER_BYTE;
}
