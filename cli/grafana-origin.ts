/** Grafana's dashboard of origins, over what Prometheus scrapes of them. */

const SOURCE = { type: 'prometheus', uid: 'rill-prometheus' } as const;
const PANEL = { width: 12, height: 8 } as const;

/** Title, unit, query and legend of each panel. */
const PANELS: readonly (readonly [string, string, string, string])[] = [
  ['Streams live', 'short', 'rill_streams_live', '{{instance}}'],
  ['Viewers', 'short', 'rill_viewers', '{{stream}}'],
  ['Age of the newest part', 's', 'rill_stream_last_part_age_seconds', '{{stream}}'],
  ['Waiting for the hub', 'bytes', 'rill_hub_waiting_bytes', '{{stream}}'],
  ['Failed requests to the hub', 'short', 'rate(rill_hub_failed_requests[5m])', '{{stream}}'],
  ['Spool on disk', 'bytes', 'rill_objects_spooled_bytes', '{{instance}}'],
  ['Written to object storage', 'Bps', 'rate(rill_objects_uploaded_bytes[1m])', '{{instance}}'],
  ['Failed requests to object storage', 'short', 'rate(rill_objects_failed_requests[5m])', '{{instance}}'],
  ['CPU of the origin, without ffmpeg', 'percentunit', 'rate(process_cpu_seconds_total[1m])', '{{instance}}'],
  ['Memory of the origin, without ffmpeg', 'bytes', 'process_resident_memory_bytes', '{{instance}}'],
];

/** The dashboard as Grafana provisions it. */
export function originDashboard(): unknown {
  return {
    title: 'Rill origins',
    uid: 'rill-origin',
    tags: ['rill'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    timezone: 'browser',
    refresh: '15s',
    time: { from: 'now-1h', to: 'now' },
    panels: PANELS.map(([title, unit, expr, legendFormat], index) => ({
      id: index + 1,
      type: 'timeseries',
      title,
      datasource: SOURCE,
      gridPos: {
        x: (index % 2) * PANEL.width,
        y: Math.floor(index / 2) * PANEL.height,
        w: PANEL.width,
        h: PANEL.height,
      },
      fieldConfig: { defaults: { unit }, overrides: [] },
      targets: [{ refId: 'A', datasource: SOURCE, expr, legendFormat }],
    })),
  };
}
