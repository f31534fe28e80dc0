/** What watches origins: a dashboard for Grafana, alert rules for Prometheus, and the page that explains the metrics. */

import { METRIC_DESCRIPTIONS } from '../origin/control/metrics.ts';

interface Query {
  readonly expr: string;
  readonly legend: string;
}

interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly queries: readonly Query[];
}

interface Alert {
  readonly name: string;
  readonly expr: string;
  /** How long it has to hold. */
  readonly for: string;
  readonly severity: 'critical' | 'warning';
  readonly summary: string;
  /** What to do. */
  readonly description: string;
}

const WIDTH = 24;
const PANEL = { width: 8, height: 8 };
const STREAM = 'stream=~"$stream"';

const PANELS: readonly Panel[] = [
  panel('Live streams', 'short', [
    ['sum(rill_streams_live)', 'live'],
    ['sum(rill_streams_limit)', 'limit'],
  ]),
  panel('Degraded streams', 'short', [[`rill_stream_degraded{${STREAM}}`, '{{stream}}']]),
  panel('Age of the newest part', 's', [[`rill_stream_last_part_age_seconds{${STREAM}}`, '{{stream}}']]),
  panel('Input bit rate', 'bps', [[`rill_stream_input_bits_per_second{${STREAM}}`, '{{stream}}']]),
  panel('Input frame rate', 'short', [[`rill_stream_input_frames_per_second{${STREAM}}`, '{{stream}}']]),
  panel('GOP length', 's', [[`rill_stream_input_gop_seconds{${STREAM}}`, '{{stream}}']]),
  panel('Encoder speed', 'short', [[`rill_stream_encoder_speed_ratio{${STREAM}}`, '{{stream}}']]),
  panel('Lateness of parts', 's', [
    [quantile('0.5', 'rill_part_lateness_seconds', 'stream', `{${STREAM}}`), '{{stream}} p50'],
    [quantile('0.95', 'rill_part_lateness_seconds', 'stream', `{${STREAM}}`), '{{stream}} p95'],
  ]),
  panel('Waiting for the edge', 'bytes', [[`rill_hub_waiting_bytes{${STREAM}}`, '{{stream}}']]),
  panel('SRT round trip', 's', [[`rill_srt_rtt_seconds{${STREAM}}`, '{{stream}}']]),
  panel('SRT packets missing at first', 'percentunit', [
    [
      `rate(rill_srt_packets_lost_total{${STREAM}}[1m]) / rate(rill_srt_packets_received_total{${STREAM}}[1m])`,
      '{{stream}}',
    ],
  ]),
  panel('SRT packets too late', 'short', [
    [`rate(rill_srt_packets_dropped_total{${STREAM}}[1m])`, '{{stream}}'],
  ]),
  panel('Time of a PUT', 's', [
    [quantile('0.5', 'rill_object_put_duration_seconds', 'outcome'), '{{outcome}} p50'],
    [quantile('0.95', 'rill_object_put_duration_seconds', 'outcome'), '{{outcome}} p95'],
  ]),
  panel('Time of a request to the edge', 's', [
    [quantile('0.95', 'rill_hub_request_duration_seconds', 'outcome'), '{{outcome}} p95'],
  ]),
  panel('Waiting for object storage', 'bytes', [
    ['rill_objects_pending_bytes', '{{instance}} memory'],
    ['rill_objects_spooled_bytes', '{{instance}} disk'],
  ]),
  panel('Objects lost', 'short', [['increase(rill_objects_dropped_total[5m])', '{{instance}}']]),
  panel('Webhook messages waiting', 'short', [['rill_webhook_waiting', '{{webhook}}']]),
  panel('Memory of the origin', 'bytes', [['process_resident_memory_bytes', '{{instance}}']]),
];

const ALERTS: readonly Alert[] = [
  {
    ...{ name: 'RillOriginDown', expr: 'up{job="rill-origin"} == 0', for: '1m', severity: 'critical' },
    summary: 'origin {{ $labels.instance }} is not reached',
    description:
      'Its streams end for viewers once their buffers are empty: restart it; encoders come back by themselves.',
  },
  {
    ...{ name: 'RillOriginNotReady', expr: 'rill_ready == 0', for: '1m', severity: 'critical' },
    summary: 'origin {{ $labels.instance }} takes no new streams',
    description: 'GET /readyz on its control port names what is missing.',
  },
  {
    ...{
      name: 'RillStreamStuck',
      expr: 'rill_stream_last_part_age_seconds > 10',
      for: '10s',
      severity: 'critical',
    },
    summary: 'stream {{ $labels.stream }} has had no part for 10 s',
    description: 'The encoder or its network is gone, or ffmpeg hangs: the log of the stream says which.',
  },
  {
    ...{ name: 'RillStreamDegraded', expr: 'rill_stream_degraded == 1', for: '1m', severity: 'warning' },
    summary: 'stream {{ $labels.stream }} is degraded',
    description: 'GET /v1/streams/NAME on the control port names the reasons.',
  },
  {
    ...{
      name: 'RillEncoderSlow',
      expr: 'rill_stream_encoder_speed_ratio < 0.95',
      for: '30s',
      severity: 'critical',
    },
    summary: 'stream {{ $labels.stream }} is encoded at {{ $value }} of its pace',
    description:
      'The machine is short of CPU, or the source sends too little: take rungs off the ladder or streams off the origin.',
  },
  {
    ...{ name: 'RillPartsLate', for: '1m', severity: 'warning' },
    expr: `${quantile('0.95', 'rill_part_lateness_seconds', 'stream')} > 1`,
    summary: 'parts of {{ $labels.stream }} are announced {{ $value }} s late',
    description: 'Look at the encoder speed and at the time of requests to the edge.',
  },
  {
    ...{ name: 'RillSrtLoss', for: '1m', severity: 'warning' },
    expr: 'rate(rill_srt_packets_lost_total[1m]) / rate(rill_srt_packets_received_total[1m]) > 0.05',
    summary:
      'the SRT link of {{ $labels.stream }} loses {{ $value | humanizePercentage }} of its packets at first',
    description: 'Raise the latency of encoder or origin if packets are too late as well.',
  },
  {
    ...{
      name: 'RillSrtPictureBroken',
      expr: 'rate(rill_srt_packets_dropped_total[1m]) > 0',
      for: '0s',
      severity: 'warning',
    },
    summary: 'SRT packets of {{ $labels.stream }} come too late: the picture is broken there',
    description: 'Raise RILL_SRT_LATENCY_MS to at least four round trips.',
  },
  {
    ...{
      name: 'RillObjectStorageAway',
      expr: 'rill_object_storage_away == 1',
      for: '30s',
      severity: 'warning',
    },
    summary: 'object storage takes nothing from {{ $labels.instance }}',
    description:
      'The live edge goes on and objects wait on disk: bring storage back before the spool is full.',
  },
  {
    ...{
      name: 'RillObjectsLost',
      expr: 'increase(rill_objects_dropped_total[5m]) > 0',
      for: '0s',
      severity: 'critical',
    },
    summary: 'origin {{ $labels.instance }} gave up {{ $value }} objects',
    description: 'History has holes there: the log names the cause.',
  },
  {
    ...{ name: 'RillEdgeAway', expr: 'rill_hub_connected == 0', for: '10s', severity: 'critical' },
    summary: 'the edge takes no updates of {{ $labels.stream }}',
    description: 'Viewers see the stream stand still: look at the edge.',
  },
  {
    ...{
      name: 'RillStreamsFull',
      expr: 'rill_streams_live >= 0.9 * rill_streams_limit',
      for: '5m',
      severity: 'warning',
    },
    summary: 'origin {{ $labels.instance }} has room for few more streams',
    description: 'Add an origin, or raise maxStreams if the machine has the CPU.',
  },
  {
    ...{ name: 'RillWebhookStuck', expr: 'rill_webhook_waiting > 0', for: '15m', severity: 'warning' },
    summary: 'webhook {{ $labels.webhook }} does not take its messages',
    description: 'They are sent again for three days: the log names the answer.',
  },
  {
    ...{ name: 'RillRetentionStuck', expr: 'increase(rill_retention_failed_sweeps_total[6h]) > 10' },
    ...{ for: '0s', severity: 'warning' },
    summary: 'object storage is not swept',
    description: 'Objects stay and are paid for: the log of retention names what fails.',
  },
];

/** Grafana's dashboard of origins, from Prometheus. */
export function originDashboard(): object {
  return {
    ...{
      title: 'Rill origins',
      uid: 'rill-origin',
      tags: ['rill'],
      schemaVersion: 39,
      version: 1,
      editable: true,
    },
    ...{ timezone: 'browser', refresh: '10s', time: { from: 'now-30m', to: 'now' } },
    templating: { list: [sourceVariable(), streamVariable()] },
    panels: PANELS.map(renderPanel),
  };
}

/** Prometheus' rules, YAML. */
export function originAlertRules(): string {
  const rules = ALERTS.flatMap((alert) => [
    `      - alert: ${alert.name}`,
    `        expr: ${JSON.stringify(alert.expr)}`,
    `        for: ${alert.for}`,
    '        labels:',
    `          severity: ${alert.severity}`,
    '        annotations:',
    `          summary: ${JSON.stringify(alert.summary)}`,
    `          description: ${JSON.stringify(alert.description)}`,
  ]);
  return [
    '# Alerts on origins; made by node cli/write-grafana.ts. Name it under rule_files of prometheus.yml.',
    'groups:',
    '  - name: rill-origin',
    '    rules:',
    ...rules,
    '',
  ].join('\n');
}

/** `docs/metrics.md`. */
export function originMetricsPage(): string {
  const rows = METRIC_DESCRIPTIONS.map(
    ({ name, kind, labelNames, help }) =>
      `| \`${name}\` | ${kind} | ${labelNames.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  );
  const alerts = ALERTS.map(
    ({ name, expr, for: time, severity, description }) =>
      `| \`${name}\` | ${severity} | \`${expr.replaceAll('|', '\\|')}\` for ${time} | ${description} |`,
  );
  return `# Metrics of an origin

Generated (\`node cli/write-grafana.ts\`). \`GET /metrics\` on the control port, Prometheus text format; bearer token \`RILL_CONTROL_TOKEN\` unless \`RILL_OPEN_METRICS=true\`. The label \`stream\` names live streams alone, \`maxStreams\` at most, and goes with them; \`webhook\` names configured ones. Beside these there are Node's own (\`process_*\`, \`nodejs_*\`: CPU, memory, event loop, garbage collection). The dashboard is \`deploy/grafana/rill-origin.json\`, the alerts are \`deploy/prometheus/rill-origin.rules.yml\`.

| metric | kind | labels | meaning |
| - | - | - | - |
${rows.join('\n')}

## Alerts

| alert | severity | when | what to do |
| - | - | - | - |
${alerts.join('\n')}
`;
}

/** The expressions of dashboard and alerts, for who checks them. */
export function originExpressions(): readonly string[] {
  return [
    ...PANELS.flatMap(({ queries }) => queries.map(({ expr }) => expr)),
    ...ALERTS.map(({ expr }) => expr),
  ];
}

function panel(title: string, unit: string, queries: readonly (readonly [string, string])[]): Panel {
  return { title, unit, queries: queries.map(([expr, legend]) => ({ expr, legend })) };
}

function quantile(share: string, histogram: string, by: string, labels = ''): string {
  return `histogram_quantile(${share}, sum by (le, ${by}) (rate(${histogram}_bucket${labels}[1m])))`;
}

function renderPanel({ title, unit, queries }: Panel, index: number): object {
  const perRow = WIDTH / PANEL.width;
  const place = { x: (index % perRow) * PANEL.width, y: Math.floor(index / perRow) * PANEL.height };
  const datasource = { type: 'prometheus', uid: '${source}' };
  return {
    ...{ id: index + 1, title, type: 'timeseries', datasource },
    gridPos: { w: PANEL.width, h: PANEL.height, ...place },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: queries.map(({ expr, legend }, number) => ({
      ...{ refId: String.fromCodePoint(65 + number), datasource, expr, legendFormat: legend, range: true },
    })),
  };
}

function sourceVariable(): object {
  return { name: 'source', label: 'Data source', type: 'datasource', query: 'prometheus' };
}

function streamVariable(): object {
  return {
    ...{
      name: 'stream',
      label: 'Stream',
      type: 'query',
      query: 'label_values(rill_stream_uptime_seconds, stream)',
    },
    ...{
      datasource: { type: 'prometheus', uid: '${source}' },
      multi: true,
      includeAll: true,
      allValue: '.*',
    },
    // `refresh: 2`: asked again whenever the time changes.
    ...{ current: { text: 'All', value: '$__all' }, refresh: 2, sort: 1 },
  };
}
