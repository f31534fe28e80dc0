/** The edge worker's entrypoints: gateway (default, never cached), delivery (cached) and its Durable Objects. */

import { exports, waitUntil } from 'cloudflare:workers';
import { reachDelivery, type CallDelivery } from './delivery/reach-delivery.ts';
import type { Env } from './env.ts';
import { createGateway } from './gateway/app.ts';

export { ViewerSessions } from './access/sessions/viewer-sessions.ts';
export { DeliveryCache } from './delivery/cache/delivery-cache.ts';
export { Delivery } from './delivery/entrypoint.ts';
export { StreamHub } from './hub/stream-hub.ts';
export { StreamRelay } from './relay/stream-relay.ts';

const call: CallDelivery = (props) =>
  props.region === undefined ? exports.Delivery : exports.Delivery({ props });
const gateway = createGateway({
  deliver: (canonical, viewer, env) => reachDelivery(canonical, viewer, { env, call }),
  background: waitUntil,
});

const handler: ExportedHandler<Env> = {
  fetch: (request, env, context) => gateway.fetch(request, env, context),
};

export default handler;
