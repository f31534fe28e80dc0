/**
 * Which origin may publish a stream: `POST /publish/{stream}/lease`, JSON both ways. The hub gives the right to one
 * origin at a time, for a bounded time that every publish request and every renewal prolongs; its clock alone counts.
 */

import { z } from 'zod';

/** Names the origin in each of its publish requests; without it a request publishes while nobody holds the lease. */
export const ORIGIN_HEADER = 'rill-origin';
/** How long a publish request prolongs its origin's lease, milliseconds. */
export const LEASE_HEADER = 'rill-lease';
/** Shortest lease, milliseconds: below, the garbage collector of a busy origin would cost it its streams. */
export const MIN_LEASE_MS = 1_000;
/** Longest lease, milliseconds. */
export const MAX_LEASE_MS = 60_000;

const count = z.int().min(0);

/** An origin's name: alike when it starts again with the same data folder, different for each origin. */
export const originIdSchema = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/);
/** Length of a lease, milliseconds. */
export const leaseMsSchema = z.int().min(MIN_LEASE_MS).max(MAX_LEASE_MS);

/** What an origin asks. */
export const leaseRequestSchema = z.discriminatedUnion('action', [
  /** May I publish, and where do I go on? Who is answered `held` counts as standing by for a while. */
  z.object({ action: z.literal('acquire'), origin: originIdSchema, leaseMs: leaseMsSchema }),
  /** I am still here, although I have nothing to publish. */
  z.object({ action: z.literal('renew'), origin: originIdSchema, leaseMs: leaseMsSchema }),
  /** I no longer publish, or stand by no more; `goodbye` when the encoder has ended the stream. */
  z.object({ action: z.literal('release'), origin: originIdSchema, goodbye: z.boolean() }),
]);
/** What an origin asks. */
export type LeaseRequest = z.infer<typeof leaseRequestSchema>;

/** What the hub answers: 200, and 409 for `held`. */
export const leaseAnswerSchema = z.discriminatedUnion('status', [
  /** The origin publishes from now on, its next run as `epoch` from segment `nextMsn` on. */
  z.object({ status: z.literal('granted'), epoch: count, nextMsn: count }),
  z.object({ status: z.literal('renewed') }),
  /** Another origin publishes; its lease runs out then unless it is prolonged. */
  z.object({ status: z.literal('held'), expiresInMs: count }),
  /** `mayEnd`: no other origin publishes or stands by, so the stream may be ended. */
  z.object({ status: z.literal('released'), mayEnd: z.boolean() }),
]);
/** What the hub answers. */
export type LeaseAnswer = z.infer<typeof leaseAnswerSchema>;
