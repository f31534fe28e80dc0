/** The present as Prometheus reads it: text exposition format 0.0.4. */

import type { StreamNow } from './live-sessions.ts';

const GAUGES: readonly {
  readonly name: string;
  readonly help: string;
  readonly value: (now: StreamNow) => number | null;
}[] = [
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
