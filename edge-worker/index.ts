/** The edge worker's entrypoints: gateway (default, never cached), delivery (cached) and stream hub. */

import { exports } from 'cloudflare:workers';
import type { Env } from './env.ts';
import { createGateway } from './gateway/app.ts';

export { Delivery } from './delivery/entrypoint.ts';
export { StreamHub } from './hub/stream-hub.ts';

const gateway = createGateway({ deliver: (request) => exports.Delivery.fetch(request) });

const handler: ExportedHandler<Env> = {
  fetch: (request, env, context) => gateway.fetch(request, env, context),
};

export default handler;
