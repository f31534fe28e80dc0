import { readFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { METRIC_DESCRIPTIONS } from '../origin/control/metrics.ts';
import {
  originAlertRules,
  originDashboard,
  originExpressions,
  originMetricsPage,
} from './origin-monitoring.ts';

/** Read from Prometheus or from Node, and not described by the origin. */
const FOREIGN = new Set(['up', 'process_resident_memory_bytes']);
const FUNCTIONS = new Set([
  'sum',
  'by',
  'rate',
  'increase',
  'histogram_quantile',
  'le',
  'stream',
  'outcome',
  'job',
]);
const dashboardSchema = z.object({
  panels: z.array(z.object({ gridPos: z.object({ x: z.number(), y: z.number(), w: z.number() }) })),
});

const read = (path: string): Promise<string> => readFile(new URL(`../${path}`, import.meta.url), 'utf8');

test('what is generated is as the code makes it: node cli/write-grafana.ts', async () => {
  expect(JSON.parse(await read('deploy/grafana/rill-origin.json'))).toEqual(originDashboard());
  const style = await resolveConfig(new URL('../docs/metrics.md', import.meta.url));
  const rules = await format(originAlertRules(), { ...style, parser: 'yaml' });
  expect(await read('deploy/prometheus/rill-origin.rules.yml')).toBe(rules);
  expect(await read('docs/metrics.md')).toBe(
    await format(originMetricsPage(), { ...style, parser: 'markdown' }),
  );
});

test('every expression asks for metrics that there are, counters as rates', () => {
  const kinds = new Map(
    METRIC_DESCRIPTIONS.map(({ name, kind }) => [kind === 'histogram' ? `${name}_bucket` : name, kind]),
  );
  for (const expr of originExpressions()) {
    const words = expr.replaceAll(/"[^"]*"|\[\w+\]/g, '').match(/[a-z_]{2,}/g) ?? [];
    const metrics = words.filter((word) => !FUNCTIONS.has(word));
    expect(metrics.filter((name) => !kinds.has(name) && !FOREIGN.has(name))).toEqual([]);
    const counted = metrics.filter((name) => name.endsWith('_total') || name.endsWith('_bucket'));
    expect(expr.match(/rate\(|increase\(/g)?.length ?? 0).toBe(counted.length);
    expect(expr.split('(').length).toBe(expr.split(')').length);
  }
});

test('metrics are named as Prometheus asks: base units, counters end in _total', () => {
  for (const { name, kind } of METRIC_DESCRIPTIONS) {
    expect(name).toMatch(/^rill_[a-z_]+$/);
    expect(name).not.toMatch(/_(?:ms|milliseconds|mbps|kb)(?:_|$)/);
    expect(name.endsWith('_total')).toBe(kind === 'counter');
  }
});

test('panels stand side by side without one over another', () => {
  const { panels } = dashboardSchema.parse(originDashboard());
  expect(new Set(panels.map(({ gridPos: { x, y } }) => `${x},${y}`)).size).toBe(panels.length);
  expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
});
