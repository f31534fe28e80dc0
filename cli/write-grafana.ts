/** Writes what watches a running system: Grafana's dashboards, Prometheus' alert rules, the page of metrics. */

import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { GRAFANA_ENGINES, grafanaDashboard, type GrafanaEngine } from './grafana-dashboards.ts';
import { originAlertRules, originDashboard, originMetricsPage } from './origin-monitoring.ts';

const FOLDER = new URL('../deploy/grafana/', import.meta.url);

await mkdir(fileURLToPath(FOLDER), { recursive: true });
for (const engine of Object.keys(GRAFANA_ENGINES) as GrafanaEngine[]) {
  const text = `${JSON.stringify(grafanaDashboard(engine), null, 2)}\n`;
  await writeFile(new URL(`rill-qos-${engine}.json`, FOLDER), text);
}
await writeFile(new URL('rill-origin.json', FOLDER), `${JSON.stringify(originDashboard(), null, 2)}\n`);
const RULES = new URL('../deploy/prometheus/rill-origin.rules.yml', import.meta.url);
const METRICS = new URL('../docs/metrics.md', import.meta.url);
for (const [file, text, parser] of [
  [RULES, originAlertRules(), 'yaml'],
  [METRICS, originMetricsPage(), 'markdown'],
] as const) {
  await writeFile(file, await format(text, { ...(await resolveConfig(file)), parser }));
}
