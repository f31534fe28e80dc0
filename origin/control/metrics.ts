/** Prometheus metrics of an origin, collected when they are asked for; names as Prometheus' conventions have them. */

import { collectDefaultMetrics, Counter, Gauge, type Registry } from 'prom-client';
import type { SrtStatistics } from '../ingest/srt/statistics.ts';
import { HISTOGRAMS } from './latencies.ts';
import type { StreamProvider, StreamStatus } from './stream-status.ts';
import type { StreamWatch, WatchedStream } from './watch/stream-watch.ts';
import type { WebhookStats } from './webhooks/webhook-sender.ts';

/** What metrics are read from. */
export interface MetricSources {
  readonly streams: StreamProvider;
  readonly watch: StreamWatch;
  readonly webhooks: { readonly stats: readonly WebhookStats[] };
  readonly maxStreams: () => number;
  readonly now: () => number;
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | undefined;
}

interface Metric {
  readonly kind: 'gauge' | 'counter';
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly read: (sources: MetricSources) => readonly Sample[];
}

type OfStream = (status: StreamStatus, watched: WatchedStream | undefined, now: number) => number | undefined;
type OfLink = (link: SrtStatistics) => number;

const METRICS: readonly Metric[] = [
  plain('gauge', 'rill_streams_live', 'Streams that are live', ({ streams }) => streams.listStreams().length),
  plain('gauge', 'rill_streams_limit', 'Streams that may be live at once', ({ maxStreams }) => maxStreams()),
  plain('gauge', 'rill_ready', '1 while the origin is ready for encoders', ({ streams }) =>
    Number(streams.readiness().ready),
  ),
  ofStream('gauge', 'rill_stream_uptime_seconds', 'Time since the publisher was admitted', (status, _, now) =>
    secondsSince(status.since, now),
  ),
  ofStream(
    'gauge',
    'rill_stream_last_part_age_seconds',
    'Time since the newest part was published',
    (status, _, now) => (status.lastPartAt === undefined ? undefined : secondsSince(status.lastPartAt, now)),
  ),
  ofStream(
    'gauge',
    'rill_stream_next_msn',
    'Media sequence number that comes next',
    ({ nextMsn }) => nextMsn,
  ),
  ofStream(
    'gauge',
    'rill_stream_input_bits_per_second',
    'Bit rate of the input over ten seconds',
    (_, watched) => watched?.measure.input?.bitrate,
  ),
  ofStream(
    'gauge',
    'rill_stream_input_frames_per_second',
    'Frame rate of the input',
    (_, watched) => watched?.measure.input?.frameRate,
  ),
  ofStream(
    'gauge',
    'rill_stream_input_gop_seconds',
    'Time between the newest two key frames',
    (_, watched) => watched?.measure.input?.gopSeconds,
  ),
  ofStream(
    'gauge',
    'rill_stream_encoder_speed_ratio',
    'Media seconds encoded per second',
    (_, watched) => watched?.measure.encoderSpeed,
  ),
  ofStream(
    'counter',
    'rill_stream_media_seconds_total',
    'Media published',
    (_, watched) => watched?.measure.mediaSeconds,
  ),
  ofStream('gauge', 'rill_stream_degraded', '1 while the stream counts as degraded', (_, watched) =>
    watched === undefined ? undefined : Number(watched.degraded.length > 0),
  ),
  ofStream(
    'gauge',
    'rill_hub_waiting_updates',
    'Updates that the hub has not acknowledged',
    ({ hub }) => hub?.waitingUpdates,
  ),
  ofStream(
    'gauge',
    'rill_hub_waiting_bytes',
    'Bytes that the hub has not acknowledged',
    ({ hub }) => hub?.waitingBytes,
  ),
  ofStream(
    'counter',
    'rill_hub_failed_requests_total',
    'Failed requests to the hub in this epoch',
    ({ hub }) => hub?.failedRequests,
  ),
  ofStream('gauge', 'rill_hub_connected', '1 while the hub takes updates', ({ hub }) =>
    hub === undefined ? undefined : Number(hub.connected),
  ),
  ofLink(
    'gauge',
    'rill_srt_rtt_seconds',
    'Smoothed round trip of the SRT link',
    ({ rttMs }) => rttMs / 1_000,
  ),
  ofLink(
    'gauge',
    'rill_srt_latency_seconds',
    'Receive latency that both sides agreed on',
    ({ latencyMs }) => latencyMs / 1_000,
  ),
  ofLink(
    'gauge',
    'rill_srt_receive_bits_per_second',
    'Received of late',
    ({ receiveRateMbps }) => receiveRateMbps * 1e6,
  ),
  ofLink(
    'gauge',
    'rill_srt_buffer_seconds',
    'Media time in the receive buffer',
    ({ bufferMs }) => bufferMs / 1_000,
  ),
  ofLink(
    'counter',
    'rill_srt_packets_received_total',
    'Packets received',
    ({ packetsReceived }) => packetsReceived,
  ),
  ofLink('counter', 'rill_srt_bytes_received_total', 'Bytes received', ({ bytesReceived }) => bytesReceived),
  ofLink(
    'counter',
    'rill_srt_packets_lost_total',
    'Packets missing at first',
    ({ packetsLost }) => packetsLost,
  ),
  ofLink(
    'counter',
    'rill_srt_packets_retransmitted_total',
    'Retransmitted packets that arrived',
    ({ packetsRetransmitted }) => packetsRetransmitted,
  ),
  ofLink(
    'counter',
    'rill_srt_packets_dropped_total',
    'Packets too late to be delivered',
    ({ packetsDropped }) => packetsDropped,
  ),
  plain(
    'gauge',
    'rill_objects_pending',
    'Objects in memory on their way to storage',
    (of) => objects(of).pendingObjects,
  ),
  plain(
    'gauge',
    'rill_objects_pending_bytes',
    'Bytes in memory on their way to storage',
    (of) => objects(of).pendingBytes,
  ),
  plain(
    'gauge',
    'rill_objects_spooled',
    'Objects on disk that wait for storage',
    (of) => objects(of).spooledObjects,
  ),
  plain(
    'gauge',
    'rill_objects_spooled_bytes',
    'Bytes on disk that wait for storage',
    (of) => objects(of).spooledBytes,
  ),
  plain(
    'counter',
    'rill_objects_uploaded_total',
    'Objects written to storage',
    (of) => objects(of).uploadedObjects,
  ),
  plain(
    'counter',
    'rill_objects_uploaded_bytes_total',
    'Bytes written to storage',
    (of) => objects(of).uploadedBytes,
  ),
  plain(
    'counter',
    'rill_objects_failed_requests_total',
    'Failed requests to storage',
    (of) => objects(of).failedRequests,
  ),
  plain(
    'gauge',
    'rill_spool_file_bytes',
    'Bytes that the spool takes on disk',
    (of) => objects(of).spoolFileBytes,
  ),
  plain(
    'gauge',
    'rill_objects_unspooled',
    'Objects in memory without a copy on disk',
    (of) => objects(of).unspooledObjects,
  ),
  plain('gauge', 'rill_spool_disk_fault', '1 while the spool takes no objects', (of) =>
    Number(objects(of).diskFault !== undefined),
  ),
  plain('counter', 'rill_objects_dropped_total', 'Objects given up', (of) => objects(of).droppedObjects),
  plain(
    'counter',
    'rill_objects_dropped_bytes_total',
    'Bytes of objects given up',
    (of) => objects(of).droppedBytes,
  ),
  plain('gauge', 'rill_object_storage_away', '1 while storage takes no objects', (of) =>
    Number(objects(of).away),
  ),
  plain(
    'counter',
    'rill_retention_deleted_objects_total',
    'Objects whose time in storage was over',
    ({ streams }) => streams.retention().deletedObjects,
  ),
  plain(
    'counter',
    'rill_retention_sweeps_total',
    'Sweeps of object storage',
    ({ streams }) => streams.retention().sweeps,
  ),
  plain(
    'counter',
    'rill_retention_failed_sweeps_total',
    'Sweeps of one stream that storage or hub did not let come to their end',
    ({ streams }) => streams.retention().failedSweeps,
  ),
  ofWebhook('gauge', 'rill_webhook_waiting', 'Messages that wait for a webhook', ({ waiting }) => waiting),
  ofWebhook(
    'counter',
    'rill_webhook_delivered_total',
    'Messages that a webhook took',
    ({ delivered }) => delivered,
  ),
  ofWebhook(
    'counter',
    'rill_webhook_failed_tries_total',
    'Tries that a webhook did not take',
    ({ failedTries }) => failedTries,
  ),
  ofWebhook('counter', 'rill_webhook_dropped_total', 'Messages given up', ({ dropped }) => dropped),
];

/** What an origin tells of itself beside its process: name, kind, labels and meaning of each metric. */
export const METRIC_DESCRIPTIONS: readonly {
  readonly name: string;
  readonly kind: 'gauge' | 'counter' | 'histogram';
  readonly labelNames: readonly string[];
  readonly help: string;
}[] = [...METRICS, ...HISTOGRAMS.map((one) => ({ ...one, kind: 'histogram' as const }))].map(
  ({ name, kind, labelNames, help }) => ({ name, kind, labelNames, help }),
);

/** Adds the metrics; label sets are those of live streams and of configured webhooks alone, so they are bounded. */
export function addMetrics(registry: Registry, sources: MetricSources): void {
  collectDefaultMetrics({ register: registry });
  for (const { kind, name, help, labelNames, read } of METRICS) {
    const samples = (): readonly (Sample & { readonly value: number })[] =>
      read(sources).flatMap(({ labels, value }) => (value === undefined ? [] : [{ labels, value }]));
    const shape = { name, help, labelNames: [...labelNames], registers: [registry] };
    if (kind === 'gauge') {
      const gauge: Gauge = new Gauge({
        ...shape,
        collect: () => {
          gauge.reset();
          samples().forEach(({ labels, value }) => gauge.set(labels, value));
        },
      });
    } else {
      const counter: Counter = new Counter({
        ...shape,
        collect: () => {
          counter.reset();
          samples().forEach(({ labels, value }) => counter.inc(labels, value));
        },
      });
    }
  }
}

function plain(
  kind: Metric['kind'],
  name: string,
  help: string,
  read: (sources: MetricSources) => number,
): Metric {
  return { kind, name, help, labelNames: [], read: (sources) => [{ labels: {}, value: read(sources) }] };
}

function ofStream(kind: Metric['kind'], name: string, help: string, read: OfStream): Metric {
  const samples = ({ streams, watch, now }: MetricSources): readonly Sample[] =>
    streams.listStreams().map((status) => ({
      labels: { stream: status.stream },
      value: read(status, watch.get(status.stream), now()),
    }));
  return { kind, name, help, labelNames: ['stream'], read: samples };
}

function ofLink(kind: Metric['kind'], name: string, help: string, read: OfLink): Metric {
  return ofStream(kind, name, help, (_, watched) =>
    watched?.srt === undefined ? undefined : read(watched.srt),
  );
}

function ofWebhook(
  kind: Metric['kind'],
  name: string,
  help: string,
  read: (stats: WebhookStats) => number,
): Metric {
  const samples = ({ webhooks }: MetricSources): readonly Sample[] =>
    webhooks.stats.map((stats) => ({ labels: { webhook: stats.receiver }, value: read(stats) }));
  return { kind, name, help, labelNames: ['webhook'], read: samples };
}

function objects({ streams }: MetricSources): ReturnType<StreamProvider['objectWriter']> {
  return streams.objectWriter();
}

function secondsSince(at: number, now: number): number {
  return Math.max(0, now - at) / 1000;
}
