/** Who publishes, as a hub is told with each request. */

import { LEASE_HEADER, ORIGIN_HEADER } from '#shared/wire/lease.ts';

/** An origin, and for how long each of its requests prolongs its lease. */
export interface HubPublisherName {
  readonly origin: string;
  readonly leaseMs: number;
}

/** The headers that name the origin; none where it has no name. */
export function publisherHeaders(publisher: HubPublisherName | undefined): Readonly<Record<string, string>> {
  return publisher === undefined
    ? {}
    : { [ORIGIN_HEADER]: publisher.origin, [LEASE_HEADER]: String(publisher.leaseMs) };
}
