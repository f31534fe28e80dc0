/** The way from the gateway to delivery: through the platform's cache, or through this edge's own. */

import type { Env } from '../env.ts';
import { hasRelays } from '../relay/relay-hubs.ts';
import { regionOf, type ViewerPlace } from '../relay/region.ts';
import { deliverCached, hasOwnCache } from './cache/delivery-cache.ts';
import type { DeliveryProps } from './entrypoint.ts';

/** The delivery entrypoint, called with properties. */
export type CallDelivery = (props: DeliveryProps) => Pick<Fetcher, 'fetch'>;

/**
 * Sends a canonical request on its way. The viewer's place chooses a relay where regions have them; it is part of
 * the cache's key then, so that each region keeps a copy of its own.
 */
export async function reachDelivery(
  canonical: Request,
  viewer: Request,
  edge: { readonly env: Env; readonly call: CallDelivery },
): Promise<Response> {
  const { env, call } = edge;
  if (env.CACHE !== undefined && hasOwnCache(env)) {
    return deliverCached(canonical, env.CACHE);
  }
  const region = hasRelays(env) ? regionOf(placeOf(viewer)) : undefined;
  return call(region === undefined ? {} : { region }).fetch(canonical);
}

function placeOf({ cf }: Request): ViewerPlace | undefined {
  return cf === undefined
    ? undefined
    : { continent: cf['continent'], country: cf['country'], longitude: cf['longitude'] };
}
