/** Prometheus metrics of an origin, collected when they are asked for. */

import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { HubPublisherStats } from '../publish/hub-client.ts';
import type { StreamProvider, StreamStatus } from './stream-status.ts';

/** Makes the registry; label sets are those of the live streams alone, so they are bounded. */
export function createMetrics(provider: StreamProvider, now: () => number): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addStreamGauges(registry, provider, now);
  addObjectGauges(registry, provider);
  return registry;
}

const HUB_GAUGES: readonly (readonly [string, string, (hub: HubPublisherStats) => number])[] = [
  ['rill_hub_waiting_updates', 'Updates that the hub has not acknowledged', (hub) => hub.waitingUpdates],
  ['rill_hub_waiting_bytes', 'Bytes that the hub has not acknowledged', (hub) => hub.waitingBytes],
  ['rill_hub_failed_requests', 'Failed requests to the hub in this epoch', (hub) => hub.failedRequests],
  ['rill_hub_connected', '1 while the hub takes updates', (hub) => Number(hub.connected)],
];

function addStreamGauges(registry: Registry, provider: StreamProvider, now: () => number): void {
  addGauge(registry, 'rill_streams_live', 'Streams that are live', () => provider.listStreams().length);
  const perStream = (
    name: string,
    help: string,
    read: (stream: StreamStatus) => number | undefined,
  ): void => {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        labelNames: ['stream'],
        registers: [],
        collect() {
          this.reset();
          for (const status of provider.listStreams()) {
            const value = read(status);
            if (value !== undefined) {
              this.set({ stream: status.stream }, value);
            }
          }
        },
      }),
    );
  };
  perStream('rill_stream_uptime_seconds', 'Time since the publisher was admitted', (status) =>
    secondsSince(status.since, now()),
  );
  perStream('rill_stream_last_part_age_seconds', 'Time since the newest part was published', (status) =>
    status.lastPartAt === undefined ? undefined : secondsSince(status.lastPartAt, now()),
  );
  perStream('rill_stream_next_msn', 'Media sequence number that comes next', (status) => status.nextMsn);
  for (const [name, help, read] of HUB_GAUGES) {
    perStream(name, help, (status) => status.hub && read(status.hub));
  }
}

function addObjectGauges(registry: Registry, provider: StreamProvider): void {
  const stats = () => provider.objectWriter();
  const add = (name: string, help: string, read: () => number): void => addGauge(registry, name, help, read);
  add('rill_objects_pending', 'Objects in memory on their way to storage', () => stats().pendingObjects);
  add('rill_objects_pending_bytes', 'Bytes in memory on their way to storage', () => stats().pendingBytes);
  add('rill_objects_spooled', 'Objects on disk that wait for storage', () => stats().spooledObjects);
  add('rill_objects_spooled_bytes', 'Bytes on disk that wait for storage', () => stats().spooledBytes);
  add('rill_objects_uploaded', 'Objects written to storage since start', () => stats().uploadedObjects);
  add('rill_objects_uploaded_bytes', 'Bytes written to storage since start', () => stats().uploadedBytes);
  add('rill_objects_failed_requests', 'Failed requests to storage since start', () => stats().failedRequests);
  add('rill_objects_dropped', 'Objects given up since start', () => stats().droppedObjects);
  add('rill_spool_file_bytes', 'Bytes that the spool takes on disk', () => stats().spoolFileBytes);
  add('rill_objects_unspooled', 'Objects announced without a copy on disk', () => stats().unspooledObjects);
  add('rill_spool_disk_fault', '1 while the spool takes no objects', () =>
    Number(stats().diskFault !== undefined),
  );
  add('rill_object_storage_away', '1 while storage takes no objects', () => Number(stats().away));
}

function addGauge(registry: Registry, name: string, help: string, read: () => number): void {
  registry.registerMetric(
    new Gauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(read());
      },
    }),
  );
}

function secondsSince(at: number, now: number): number {
  return Math.max(0, now - at) / 1000;
}
