/** The edge worker's entrypoints: gateway (default, never cached), delivery and the registry's readings (cached), Durable Objects. */

import { exports, waitUntil } from 'cloudflare:workers';
import { SnapshotSource } from './access/registry/snapshot-source.ts';
import { findKept } from './delivery/cache/delivery-cache.ts';
import { reachDelivery, type CallDelivery } from './delivery/reach-delivery.ts';
import type { Env } from './env.ts';
import { createGateway } from './gateway/app.ts';
import { evaluateAlerts } from './qos/alerts/reach-alerts.ts';

export { Access } from './access/registry/access-entrypoint.ts';
export { AccessRegistry } from './access/registry/access-registry.ts';
export { ViewerSessions } from './access/sessions/viewer-sessions.ts';
export { DeliveryCache } from './delivery/cache/delivery-cache.ts';
export { Delivery } from './delivery/entrypoint.ts';
export { StreamHub } from './hub/stream-hub.ts';
export { AlertKeeper } from './qos/alerts/alert-keeper.ts';
export { QosNow } from './qos/now/qos-now.ts';
export { QosWriter } from './qos/writer/writer.ts';
export { StreamRelay } from './relay/stream-relay.ts';

const call: CallDelivery = (props) =>
  props.region === undefined ? exports.Delivery : exports.Delivery({ props });
const snapshots = new SnapshotSource();
const gateway = createGateway({
  deliver: (canonical, viewer, env) => reachDelivery(canonical, viewer, { env, call }),
  background: waitUntil,
  snapshot: () =>
    snapshots.current({
      ask: (path, signal) => exports.Access.fetch(`https://access.rill${path}`, { signal }),
      now: Date.now,
      waitUntil,
    }),
  findKept,
});

const handler: ExportedHandler<Env> = {
  fetch: (request, env, context) => gateway.fetch(request, env, context),
  scheduled: (_controller, env, context) => {
    context.waitUntil(evaluateAlerts(env));
  },
};

export default handler;
