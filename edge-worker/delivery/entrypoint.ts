/**
 * The cached entrypoint. It sees canonical URLs only, so that one copy of each answer serves all viewers.
 */

import { WorkerEntrypoint } from 'cloudflare:workers';
import type { Env } from '../env.ts';
import { deliver } from './deliver.ts';

/** Delivery, which the gateway calls with canonical requests through the platform's cache. */
export class Delivery extends WorkerEntrypoint<Env> {
  /** Answers a canonical request. */
  override async fetch(request: Request): Promise<Response> {
    return deliver(request, this.env);
  }
}
