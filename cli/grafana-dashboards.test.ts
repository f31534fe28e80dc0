import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { outsideAnalyticsEngine } from '../edge-worker/qos/reports/analytics-dialect.ts';
import { readOnlyStatement } from '../edge-worker/qos/sql/read-only.ts';
import { GRAFANA_ENGINES, grafanaDashboard, type GrafanaEngine } from './grafana-dashboards.ts';

const ENGINES = Object.keys(GRAFANA_ENGINES) as GrafanaEngine[];
const dashboardSchema = z.object({
  panels: z
    .array(
      z.object({
        title: z.string(),
        gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
        targets: z.array(z.object({ rawSql: z.string().optional(), query: z.string().optional() })),
      }),
    )
    .min(1),
  templating: z.object({ list: z.array(z.object({ name: z.string(), query: z.string() })) }),
});

describe.each(ENGINES)('the dashboard for %s', (engine) => {
  test('is in deploy/grafana as the code makes it: node cli/write-grafana.ts', async () => {
    const file = new URL(`../deploy/grafana/rill-qos-${engine}.json`, import.meta.url);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(grafanaDashboard(engine));
  });

  test('asks, once its variables are filled in, for what an analyst may ask, and nothing is left to fill in', () => {
    const { panels, templating } = dashboardSchema.parse(grafanaDashboard(engine));
    const texts = panels.flatMap(({ targets }) => targets.map(({ rawSql, query }) => rawSql ?? query ?? ''));
    const known = new Set([
      '__from:date:seconds',
      '__to:date:seconds',
      ...templating.list.map(({ name }) => name),
    ]);
    for (const text of [...texts, templating.list.find(({ name }) => name === 'stream')?.query ?? '']) {
      const names = [...text.matchAll(/\$\{([^}]+)\}/g)].map(([, name]) => name ?? '');
      expect(names.filter((name) => !known.has(name))).toEqual([]);
      const filled = text.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) =>
        name === 'stream' ? 'show' : '60',
      );
      expect(outsideAnalyticsEngine(filled)).toEqual([]);
      expect(readOnlyStatement(filled)).toEqual({ ok: true, value: filled });
      expect(filled).not.toMatch(/1111111111|2222222222|86399|mark/);
    }
  });

  test('has its panels side by side without one over another', () => {
    const { panels } = dashboardSchema.parse(grafanaDashboard(engine));
    const places = panels.map(({ gridPos: { x, y } }) => `${x},${y}`);
    expect(new Set(places).size).toBe(panels.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });
});
