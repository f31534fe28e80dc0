/** The QoS table as ClickHouse and chDB create it, and as people read about it. */

import { QOS_COLUMNS, QOS_TABLE, RETENTION_DAYS, type QosColumn } from './schema.ts';

/** Columns with few values, which ClickHouse keeps in a dictionary. */
const HIGH_CARDINALITY: ReadonlySet<string> = new Set(['session', 'viewer', 'detail']);

/** The table remembers the tokens of so many inserts: one that comes again is not written again. */
const REMEMBER_INSERTS = 'non_replicated_deduplication_window = 1000';

/**
 * The statement that makes the table. Besides Analytics Engine's positional names each column has a readable one,
 * an alias, which Analytics Engine does not know. Times sort within a stream, since every report asks for both.
 */
export function createTableStatement(): string {
  const columns = [
    '  timestamp DateTime CODEC(Delta, ZSTD)',
    '  _sample_interval UInt32 DEFAULT 1',
    ...QOS_COLUMNS.map(({ position, name }) => `  ${position} ${columnType(position, name)}`),
    ...QOS_COLUMNS.map(
      ({ position, name }) => `  ${name} ${columnType(position, name, true)} ALIAS ${position}`,
    ),
  ];
  return [
    `CREATE TABLE IF NOT EXISTS ${QOS_TABLE} (`,
    columns.join(',\n'),
    ') ENGINE = MergeTree',
    'PARTITION BY toYYYYMMDD(timestamp)',
    'ORDER BY (index1, timestamp)',
    `TTL timestamp + INTERVAL ${RETENTION_DAYS} DAY`,
    `SETTINGS ttl_only_drop_parts = 1, ${REMEMBER_INSERTS}`,
  ].join('\n');
}

/** The statement that gives the setting to a table that was made without it. */
export function rememberInsertsStatement(): string {
  return `ALTER TABLE ${QOS_TABLE} MODIFY SETTING ${REMEMBER_INSERTS}`;
}

function columnType(position: string, name: string, isAlias = false): string {
  if (position.startsWith('double')) {
    return isAlias ? 'Float64' : 'Float64 CODEC(ZSTD)';
  }
  return HIGH_CARDINALITY.has(name) ? 'String' : 'LowCardinality(String)';
}

/** The documentation of the table, Markdown. */
export function schemaDocument(): string {
  return [
    '# QoS table',
    '',
    `Generated from \`shared/qos/schema.ts\` by \`node cli/write-qos-schema.ts\`. One table, \`${QOS_TABLE}\`, on every engine: Workers Analytics Engine, ClickHouse and chDB. Analytics Engine knows the positional names alone; on ClickHouse and chDB the readable names work too. A number that was not measured is 0.`,
    '',
    'Every count is a sum of `_sample_interval * double20`: the engine’s own sampling times Rill’s.',
    '',
    '## Columns',
    '',
    ...table([
      ['column', 'name', 'meaning'],
      ['`timestamp`', '`timestamp`', 'when the edge took the point in (UTC, seconds)'],
      [
        '`_sample_interval`',
        '`_sample_interval`',
        'rows that this row stands for under the engine’s sampling',
      ],
      ...QOS_COLUMNS.map((column) => row(column)),
    ]),
    '',
    '## ClickHouse',
    '',
    'The same statement is in `deploy/clickhouse/rill_qos.sql`.',
    '',
    '```sql',
    createTableStatement(),
    '```',
    '',
  ].join('\n');
}

function row({ position, name, meaning }: QosColumn): readonly string[] {
  return [`\`${position}\``, `\`${name}\``, meaning];
}

/** Renders a table with columns of even width, as the formatter has them. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((one) => one[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)];
}
