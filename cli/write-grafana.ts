/** Writes Grafana's dashboards, which are made of the reports' statements. */

import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { GRAFANA_ENGINES, grafanaDashboard, type GrafanaEngine } from './grafana-dashboards.ts';
import { originDashboard } from './grafana-origin.ts';

const FOLDER = new URL('../deploy/grafana/', import.meta.url);

await mkdir(fileURLToPath(FOLDER), { recursive: true });
for (const engine of Object.keys(GRAFANA_ENGINES) as GrafanaEngine[]) {
  const text = `${JSON.stringify(grafanaDashboard(engine), null, 2)}\n`;
  await writeFile(new URL(`rill-qos-${engine}.json`, FOLDER), text);
}
await writeFile(new URL('rill-origin.json', FOLDER), `${JSON.stringify(originDashboard(), null, 2)}\n`);
