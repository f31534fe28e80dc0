/** A hub's lease: what `lease.ts` decides, kept over a restart of the object. */

import { z } from 'zod';
import {
  LEASE_HEADER,
  leaseMsSchema,
  leaseRequestSchema,
  ORIGIN_HEADER,
  originIdSchema,
  type LeaseAnswer,
  type LeaseRequest,
} from '#shared/wire/lease.ts';
import type { PublishAnswer } from '#shared/wire/publish.ts';
import {
  checkPublish,
  decideLease,
  freeLease,
  NO_LEASE,
  type Lease,
  type LeaseMoment,
  type LeaseState,
} from './lease.ts';

/** Largest body of a lease request, bytes: its three fields need a hundred. */
export const MAX_LEASE_BODY_BYTES = 4096;

const storedSchema = z.object({
  origin: originIdSchema,
  leaseMs: leaseMsSchema,
  floor: z.int().min(0),
  newestEpoch: z.int().min(0),
  held: z.boolean(),
  goodbye: z.boolean(),
});
type StoredLease = z.infer<typeof storedSchema>;

const publisherSchema = z.object({ origin: originIdSchema, leaseMs: z.coerce.number().pipe(leaseMsSchema) });
/** The origin that sends a publish request; `undefined`: it does not name itself. */
export type Publisher = z.infer<typeof publisherSchema> | undefined;

/** Reads who publishes from a request's headers; `invalid` where they are not as they have to be. */
export function readPublisher(headers: Headers): Publisher | 'invalid' {
  const origin = headers.get(ORIGIN_HEADER);
  const leaseMs = headers.get(LEASE_HEADER);
  if (origin === null && leaseMs === null) {
    return undefined;
  }
  const parsed = publisherSchema.safeParse({ origin, leaseMs });
  return parsed.success ? parsed.data : 'invalid';
}

/** Reads a lease request's body. */
export function readLeaseRequest(body: Uint8Array): LeaseRequest | undefined {
  try {
    return leaseRequestSchema.safeParse(JSON.parse(new TextDecoder().decode(body))).data;
  } catch {
    return undefined;
  }
}

/** Holds a stream's lease. Prolonging it writes nothing: after a restart the holder has its whole time anew. */
export class HubLease {
  #state: LeaseState = NO_LEASE;
  #written: string | undefined;
  readonly #write: (body: string) => void;

  /** `stored` is what `write` was last given. */
  constructor(stored: string | undefined, now: number, write: (body: string) => void) {
    this.#write = write;
    const parsed = stored === undefined ? undefined : storedSchema.safeParse(JSON.parse(stored)).data;
    if (parsed !== undefined) {
      const { held, ...lease } = parsed;
      this.#state = { ...NO_LEASE, lease: { ...lease, expiresAt: held ? now + lease.leaseMs : 0 } };
      this.#written = stored;
    }
  }

  /** Answers a lease request; `end`: the stream is over. */
  decide(
    request: LeaseRequest,
    moment: LeaseMoment,
  ): { readonly answer: LeaseAnswer; readonly end: boolean } {
    const { state, answer, end } = decideLease(this.#state, request, moment);
    this.#keep(state);
    return { answer, end };
  }

  /** Whether a publish request is refused; otherwise its lease is prolonged. */
  refuse(
    publisher: Publisher,
    epoch: number,
    { now, latestEpoch, nextMsn }: LeaseMoment,
  ): PublishAnswer | undefined {
    const check = checkPublish(this.#state.lease, publisher, epoch, now);
    switch (check.kind) {
      case 'ours':
        this.#keep({ ...this.#state, lease: check.lease });
        return undefined;
      case 'lapsed':
        return { status: 'stale', latestEpoch, nextMsn };
      case 'fenced':
        return { status: 'fenced', expiresInMs: check.expiresInMs };
    }
  }

  /** Frees the lease: the stream has ended. */
  free(): void {
    this.#keep({ ...this.#state, lease: freeLease(this.#state.lease) });
  }

  #keep(state: LeaseState): void {
    this.#state = state;
    const body = state.lease === undefined ? undefined : JSON.stringify(storedForm(state.lease));
    if (body !== undefined && body !== this.#written) {
      this.#write(body);
      this.#written = body;
    }
  }
}

function storedForm({ expiresAt, ...lease }: Lease): StoredLease {
  return { ...lease, held: expiresAt > 0 };
}
