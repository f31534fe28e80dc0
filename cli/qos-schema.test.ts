import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { QOS_COLUMNS, jsonRow, positional } from '#shared/qos/schema.ts';
import { createTableStatement, schemaDocument } from '#shared/qos/table-definition.ts';

test('the documented schema and the ClickHouse statement are those of the code: node cli/write-qos-schema.ts', async () => {
  const file = (name: string): Promise<string> => readFile(new URL(`../${name}`, import.meta.url), 'utf8');
  expect(await file('docs/qos-schema.md')).toBe(schemaDocument());
  expect(await file('deploy/clickhouse/rill_qos.sql')).toBe(`${createTableStatement()};\n`);
});

test('the table has one index, twenty blobs and twenty doubles, which is what Analytics Engine has', () => {
  const count = (kind: string): number =>
    QOS_COLUMNS.filter(({ position }) => position.startsWith(kind)).length;
  expect([count('index'), count('blob'), count('double')]).toEqual([1, 20, 20]);
  expect(new Set(QOS_COLUMNS.map(({ name }) => name)).size).toBe(41);
});

test('a point goes into its positions, stands for one of its kind unless told, and its texts are cut', () => {
  const point = positional({ stream: 'show', event: 'startup', startup_ms: 120, detail: 'x'.repeat(5000) });
  expect(point.indexes).toEqual(['show']);
  expect(point.blobs[0]).toBe('startup');
  expect(point.blobs[15]).toHaveLength(200);
  expect(point.doubles[2]).toBe(120);
  expect(point.doubles[19]).toBe(1);
  expect(JSON.parse(jsonRow(point, 1_800_000_000))).toMatchObject({
    timestamp: 1_800_000_000,
    index1: 'show',
    blob1: 'startup',
    double3: 120,
  });
});

test('a number that is none is written as not measured', () => {
  expect(positional({ stream: 's', latency_ms: Number.NaN, bytes: Infinity }).doubles).not.toContain(NaN);
});
