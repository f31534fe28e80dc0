/** What `qos-load.ts` and its sender tell each other. */

import { z } from 'zod';

/** Beacons to send: so many a second. */
export const orderSchema = z.object({ address: z.url(), rate: z.number(), seconds: z.number() });

/** What became of them: answers by their status (0: none came), and the milliseconds to each. */
export const sentSchema = z.object({
  sent: z.number(),
  statuses: z.record(z.string(), z.number()),
  times: z.array(z.number()),
});

/** Beacons to send. */
export type Order = z.infer<typeof orderSchema>;

/** What became of them. */
export type Sent = z.infer<typeof sentSchema>;
