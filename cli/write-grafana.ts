/** Writes what watches a running system: Grafana's dashboards, Prometheus' alert rules, the page of metrics. */

import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { GRAFANA_ENGINES, grafanaDashboard, type GrafanaEngine } from './grafana-dashboards.ts';
import { originAlertRules, originDashboard, originMetricsPage } from './origin-monitoring.ts';

const FOLDER = new URL('../deploy/grafana/', import.meta.url);
const RULES = new URL('../deploy/prometheus/rill-origin.rules.yml', import.meta.url);
const METRICS = new URL('../docs/metrics.md', import.meta.url);

await mkdir(fileURLToPath(FOLDER), { recursive: true });
for (const engine of Object.keys(GRAFANA_ENGINES) as GrafanaEngine[]) {
  await write(new URL(`rill-qos-${engine}.json`, FOLDER), JSON.stringify(grafanaDashboard(engine)), 'json');
}
await write(new URL('rill-origin.json', FOLDER), JSON.stringify(originDashboard()), 'json');
await write(RULES, originAlertRules(), 'yaml');
await write(METRICS, originMetricsPage(), 'markdown');

async function write(file: URL, text: string, parser: 'json' | 'yaml' | 'markdown'): Promise<void> {
  await writeFile(file, await format(text, { ...(await resolveConfig(file)), parser }));
}
