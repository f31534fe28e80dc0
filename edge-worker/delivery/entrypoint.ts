/**
 * The cached entrypoint. It sees canonical URLs only, so that one copy of each answer serves all viewers.
 */

import { WorkerEntrypoint } from 'cloudflare:workers';
import type { Env } from '../env.ts';
import { relayHubs } from '../relay/relay-hubs.ts';
import { parseRegion } from '../relay/region.ts';
import { deliver } from './deliver.ts';

/** How delivery is called; the platform's cache keeps a copy for each. */
export interface DeliveryProps {
  /** Region whose relays are asked in the hubs' place. */
  readonly region?: string;
}

/** Delivery, which the gateway calls with canonical requests through the platform's cache. */
export class Delivery extends WorkerEntrypoint<Env, DeliveryProps> {
  /** Answers a canonical request. */
  override async fetch(request: Request): Promise<Response> {
    const region = parseRegion(this.ctx.props.region);
    const { RELAY } = this.env;
    const isRelayed = region !== undefined && RELAY !== undefined;
    return deliver(request, isRelayed ? { ...this.env, HUB: relayHubs(RELAY, region) } : this.env);
  }
}
