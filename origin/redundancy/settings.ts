/** How a stream's second feed and second origin take over: the key `redundancy` of the configuration file. */

import { z } from 'zod';
import { milliseconds } from '#shared/media-time.ts';
import { MAX_LEASE_MS, MIN_LEASE_MS } from '#shared/wire/lease.ts';

const MILLISECONDS_PER_SECOND = 1_000;

function time(min: number, max: number, fallback: number) {
  return z
    .number()
    .min(min)
    .max(max)
    .prefault(fallback)
    .transform((value) => milliseconds(Math.round(value * MILLISECONDS_PER_SECOND)));
}

/** Times of redundancy, in the file in seconds. */
export const redundancySchema = z.strictObject({
  reconnectGrace: time(0, 3_600, 15).describe(
    'Seconds that an encoder which lost its connection may take to come back before the stream ends.',
  ),
  lossAfter: time(0.3, 1.8, 1).describe(
    'Seconds without media after which a feed counts as lost, where the other feed is there.',
  ),
  returnAfter: time(1, 3_600, 10).describe(
    'Seconds that the primary feed must run without a break before the stream goes back to it.',
  ),
  lease: time(MIN_LEASE_MS / MILLISECONDS_PER_SECOND, MAX_LEASE_MS / MILLISECONDS_PER_SECOND, 3).describe(
    'Seconds after the last word of an origin in which no other origin may take its streams over.',
  ),
});
/** Times of redundancy, milliseconds. */
export type RedundancySettings = z.infer<typeof redundancySchema>;
