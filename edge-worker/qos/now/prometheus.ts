/** The present as Prometheus reads it: text exposition format 0.0.4. */

import type { WriterStatus } from '../writer/writer-status.ts';
import type { StreamNow } from './live-sessions.ts';

const GAUGES: readonly {
  readonly name: string;
  readonly help: string;
  readonly value: (now: StreamNow) => number | null;
}[] = [
  {
    name: 'rill_stream_live',
    help: 'Whether the stream is being published.',
    value: (now) => (now.live ? 1 : 0),
  },
  { name: 'rill_viewers', help: 'Viewers now.', value: (now) => now.viewers },
  { name: 'rill_viewers_stalled', help: 'Viewers who stand still now.', value: (now) => now.stalled },
  {
    name: 'rill_rebuffering_ratio',
    help: 'Time stalled over time wanted, last 10 s.',
    value: (now) => now.rebufferingRatio,
  },
  { name: 'rill_stalls', help: 'Stalls begun, last 10 s.', value: (now) => now.stalls },
  { name: 'rill_starts', help: 'Plays started, last 10 s.', value: (now) => now.starts },
  { name: 'rill_playback_errors', help: 'Errors of players, last 10 s.', value: (now) => now.errors },
  {
    name: 'rill_latency_seconds',
    help: 'Mean latency from camera to picture, last 10 s.',
    value: (now) => (now.latencyMs === null ? null : now.latencyMs / 1000),
  },
  { name: 'rill_bitrate', help: 'Mean bit rate, bits/s, last 10 s.', value: (now) => now.bitrate },
];

/** Renders all streams; what was not measured is left out. A stream's name needs no escape. */
export function renderPrometheus(streams: readonly StreamNow[]): string {
  return GAUGES.map(({ name, help, value }) => {
    const lines = streams.flatMap((stream) => {
      const number = value(stream);
      return number === null ? [] : [`${name}{stream="${stream.stream}"} ${number}\n`];
    });
    return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`;
  }).join('');
}

const WRITER: readonly {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly value: (status: WriterStatus) => number;
}[] = [
  {
    name: 'rill_qos_rows_buffered',
    type: 'gauge',
    help: 'Rows that wait for the engine.',
    value: (one) => one.buffered,
  },
  {
    name: 'rill_qos_buffered_bytes',
    type: 'gauge',
    help: 'Bytes of those rows.',
    value: (one) => one.bufferedBytes,
  },
  {
    name: 'rill_qos_buffer_limit_bytes',
    type: 'gauge',
    help: 'Bytes beyond which rows are dropped.',
    value: (one) => one.maxBufferedBytes,
  },
  {
    name: 'rill_qos_rows_written_total',
    type: 'counter',
    help: 'Rows that the engine has taken.',
    value: (one) => one.written,
  },
  {
    name: 'rill_qos_rows_dropped_total',
    type: 'counter',
    help: 'Rows dropped beyond the bound.',
    value: (one) => one.dropped,
  },
  {
    name: 'rill_qos_events_replayed_total',
    type: 'counter',
    help: 'Events that had been taken before.',
    value: (one) => one.replayed,
  },
];

/** Renders what the writer has done. */
export function renderWriter(status: WriterStatus): string {
  return WRITER.map(
    ({ name, type, help, value }) =>
      `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value(status)}\n`,
  ).join('');
}
