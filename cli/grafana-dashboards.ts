/** Grafana's dashboards of the QoS table, made of the reports' own statements: one for ClickHouse, one for Analytics Engine. */

import type { StreamName } from '#shared/identifiers.ts';
import { parseStreamName } from '#shared/identifiers.ts';
import { QOS_TABLE, position } from '#shared/qos/schema.ts';
import type { Dimension, ReportName } from '../edge-worker/qos/reports/definitions.ts';
import { reportStatement } from '../edge-worker/qos/reports/report-sql.ts';

/** Data sources by the plugin that Grafana reads them with. */
export const GRAFANA_ENGINES = {
  clickhouse: { title: 'Rill QoS (ClickHouse)', plugin: 'grafana-clickhouse-datasource' },
  'analytics-engine': { title: 'Rill QoS (Analytics Engine)', plugin: 'vertamedia-clickhouse-datasource' },
} as const;
/** Name of an engine that has a dashboard. */
export type GrafanaEngine = keyof typeof GRAFANA_ENGINES;

/** Numbers and a name that stand in a statement where Grafana's variables come: found nowhere else in it. */
const MARKS = { from: 1_111_111_111, to: 2_222_222_222, step: 86_399, stream: 'mark-of-the-stream' };
const MS_PER_SECOND = 1000;
const WIDTH = 24;
const PANEL = { width: 8, height: 8 };

interface Panel {
  readonly title: string;
  readonly report: ReportName;
  /** Figures that are shown; the statement has others beside them. */
  readonly figures: readonly string[];
  readonly unit: string;
  /** Dimensions of a table; none: a chart over time. */
  readonly by?: readonly Dimension[];
}

const PANELS: readonly Panel[] = [
  { title: 'Viewers', report: 'concurrents', figures: ['concurrent'], unit: 'short' },
  { title: 'Rebuffering ratio', report: 'rebuffering', figures: ['rebuffering_ratio'], unit: 'percentunit' },
  {
    title: 'Stalls per minute watched',
    report: 'rebuffering',
    figures: ['stalls_per_minute'],
    unit: 'short',
  },
  { title: 'Startup time', report: 'startup', figures: ['p50_ms', 'p95_ms', 'p99_ms'], unit: 'ms' },
  {
    title: 'Latency, camera to picture',
    report: 'latency',
    figures: ['p50_ms', 'p95_ms', 'p99_ms'],
    unit: 'ms',
  },
  { title: 'Bit rate', report: 'bitrate', figures: ['mean_bitrate'], unit: 'bps' },
  {
    ...{ title: 'Failures', report: 'failures', unit: 'short' },
    figures: ['errors', 'start_failures', 'exits_before_start'],
  },
  { title: 'Cache hit ratio', report: 'delivery', figures: ['cache_hit_ratio'], unit: 'percentunit' },
  { title: 'Time to first byte', report: 'delivery', figures: ['ttfb_p50_ms', 'ttfb_p95_ms'], unit: 'ms' },
  { title: 'By country', report: 'top', figures: [], unit: 'short', by: ['country'] },
  { title: 'By network', report: 'top', figures: [], unit: 'short', by: ['country', 'asn'] },
  { title: 'Sessions that stalled most', report: 'worst', figures: [], unit: 'short', by: [] },
];

/** The dashboard of an engine as Grafana imports it. */
export function grafanaDashboard(engine: GrafanaEngine): object {
  const { title, plugin } = GRAFANA_ENGINES[engine];
  return {
    ...{ title, uid: `rill-qos-${engine}`, tags: ['rill'], schemaVersion: 39, version: 1, editable: true },
    ...{ timezone: 'browser', refresh: '30s', time: { from: 'now-1h', to: 'now' } },
    templating: { list: [sourceVariable(plugin), streamVariable(engine), stepVariable()] },
    panels: PANELS.map((panel, index) => renderPanel(panel, index, engine)),
  };
}

/** The statement of a panel, with Grafana's variables where time, step and stream belong. */
function panelSql({ report, by }: Panel, engine: GrafanaEngine): string {
  const { sql } = reportStatement({
    ...{ report, stream: markedStream(), from: MARKS.from, to: MARKS.to },
    step: by === undefined ? MARKS.step : undefined,
    by: by ?? [],
  });
  const withVariables = sql
    .replaceAll(String(MARKS.from), '${__from:date:seconds}')
    .replaceAll(String(MARKS.to), '${__to:date:seconds}')
    .replaceAll(String(MARKS.step * MS_PER_SECOND), `(\${step} * ${MS_PER_SECOND})`)
    .replaceAll(String(MARKS.step), '${step}')
    .replaceAll(`'${MARKS.stream}'`, "'${stream}'");
  return timeFor(engine, withVariables);
}

/** Grafana's plugin for ClickHouse wants a date, Altinity's wants milliseconds. */
function timeFor(engine: GrafanaEngine, sql: string): string {
  const time = /toUnixTimestamp\((toStartOfInterval\([^)]*\))\) AS time/;
  return engine === 'clickhouse'
    ? sql.replace(time, '$1 AS time')
    : sql.replace(time, `toUnixTimestamp($1) * ${MS_PER_SECOND} AS time`);
}

function renderPanel(panel: Panel, index: number, engine: GrafanaEngine): object {
  const { plugin } = GRAFANA_ENGINES[engine];
  const isTable = panel.by !== undefined;
  const perRow = WIDTH / PANEL.width;
  const place = { x: (index % perRow) * PANEL.width, y: Math.floor(index / perRow) * PANEL.height };
  const datasource = { type: plugin, uid: '${source}' };
  return {
    ...{ id: index + 1, title: panel.title, type: isTable ? 'table' : 'timeseries', datasource },
    gridPos: { w: PANEL.width, h: PANEL.height, ...place },
    fieldConfig: { defaults: { unit: panel.unit, min: 0 }, overrides: [] },
    targets: [{ refId: 'A', datasource, ...target(engine, panelSql(panel, engine), isTable) }],
    transformations: isTable
      ? []
      : [{ id: 'filterFieldsByName', options: { include: { names: ['time', 'Time', ...panel.figures] } } }],
  };
}

function target(engine: GrafanaEngine, sql: string, isTable: boolean): object {
  const format = isTable ? 'table' : 'time_series';
  return engine === 'clickhouse'
    ? { editorType: 'sql', queryType: isTable ? 'table' : 'timeseries', format: isTable ? 1 : 0, rawSql: sql }
    : {
        rawQuery: true,
        query: sql,
        format,
        dateTimeType: 'DATETIME',
        extrapolate: false,
        skip_comments: true,
      };
}

function sourceVariable(plugin: string): object {
  return { name: 'source', label: 'Data source', type: 'datasource', query: plugin };
}

function streamVariable(engine: GrafanaEngine): object {
  const query = [
    `SELECT ${position('stream')} AS stream`,
    `FROM ${QOS_TABLE}`,
    'WHERE timestamp >= toDateTime(${__from:date:seconds}) AND timestamp < toDateTime(${__to:date:seconds})',
    'GROUP BY stream',
    'ORDER BY stream',
    'LIMIT 1000',
  ].join('\n');
  const datasource = { type: GRAFANA_ENGINES[engine].plugin, uid: '${source}' };
  // `refresh: 2`: asked again whenever the time changes.
  return { name: 'stream', label: 'Stream', type: 'query', datasource, query, refresh: 2, sort: 1 };
}

function stepVariable(): object {
  const steps = ['10', '60', '300', '900', '3600'];
  return {
    ...{ name: 'step', label: 'Step, s', type: 'custom', query: steps.join(',') },
    current: { text: '60', value: '60' },
    options: steps.map((value) => ({ text: value, value, selected: value === '60' })),
  };
}

function markedStream(): StreamName {
  const name = parseStreamName(MARKS.stream);
  if (!name.ok) {
    throw new Error(`${MARKS.stream} is no stream name`);
  }
  return name.value;
}
