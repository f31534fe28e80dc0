/** A report over ten million points on chDB, beside the same points in SQLite: `node bench/qos-reports.ts [rows]`. */

import { mkdtemp, rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import { createTableStatement } from '#shared/qos/table-definition.ts';
import { readQuestion } from '../edge-worker/qos/reports/question.ts';
import { reportStatement } from '../edge-worker/qos/reports/report-sql.ts';

const ROWS = Number(process.argv[2] ?? 10_000_000);
/** Each statement is run so often; the median counts. */
const RUNS = 3;
const START = 1_800_000_000;
const SPAN = 86_400;

const folder = await mkdtemp(join(tmpdir(), 'rill-qos-bench-'));
try {
  await measureChdb();
  measureSqlite();
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measureChdb(): Promise<void> {
  const session = new Session(join(folder, 'chdb'));
  session.query(createTableStatement());
  const filled = performance.now();
  await session.queryAsync(
    `INSERT INTO rill_qos (timestamp, index1, blob1, blob2, blob3, blob4, blob6, blob9, double1, double2, double3, double4, double6, double20)
     SELECT toDateTime(${START}) + intDiv(number * ${SPAN}, ${ROWS}), 'show',
       ['heartbeat','heartbeat','heartbeat','heartbeat','heartbeat','heartbeat','startup','stall_begin','stall_end','session_start'][number % 10 + 1],
       toString(cityHash64(number % 100000)), toString(number % 80000), ['DE','FR','IT','ES'][number % 4 + 1],
       toString(number % 500), '720p', 10000, if(number % 10 = 8, 900, 0), if(number % 10 = 6, 300 + number % 900, 0),
       3000000, 1500 + number % 3000, 1 FROM numbers(${ROWS})`,
  );
  print(`chDB: ${ROWS} rows in ${Math.round(performance.now() - filled)} ms`);
  for (const [report, query] of [
    ['rebuffering', 'by=asn'],
    ['startup', 'by=country'],
    ['concurrents', 'step=1m'],
    ['latency', 'step=1h'],
    ['sessions', ''],
  ] as const) {
    const asked = new URLSearchParams(`stream=show&from=${START}&to=${START + SPAN}&${query}`);
    const question = readQuestion(report, asked, START + SPAN);
    if (question.ok && question.value.kind === 'report') {
      const { sql } = reportStatement(question.value.question);
      const times: number[] = [];
      for (let run = 0; run < RUNS; run += 1) {
        const began = performance.now();
        await session.queryAsync(sql, { format: 'JSON' });
        times.push(performance.now() - began);
      }
      print(`chDB: ${report} ${query}: ${median(times)} ms`);
    }
  }
  session.close();
}

function measureSqlite(): void {
  const database = new DatabaseSync(join(folder, 'sqlite'));
  database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF');
  database.exec(
    'CREATE TABLE rill_qos (timestamp INT, index1 TEXT, blob1 TEXT, blob2 INT, blob6 TEXT, double1 REAL, double2 REAL)',
  );
  const filled = performance.now();
  database.exec(
    `INSERT INTO rill_qos WITH RECURSIVE n(number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM n LIMIT ${ROWS})
     SELECT ${START} + number * ${SPAN} / ${ROWS}, 'show', CASE number % 10 WHEN 7 THEN 'stall_begin' ELSE 'heartbeat' END,
       number % 100000, number % 500, 10000.0, CASE number % 10 WHEN 8 THEN 900.0 ELSE 0.0 END FROM n`,
  );
  database.exec('CREATE INDEX by_time ON rill_qos (index1, timestamp)');
  print(`SQLite: ${ROWS} rows in ${Math.round(performance.now() - filled)} ms`);
  const began = performance.now();
  database
    .prepare(
      `SELECT blob6, sum(double1), sum(double2), sum(double2) / (sum(double1) + sum(double2)),
         sum(blob1 = 'stall_begin'), count(DISTINCT blob2) FROM rill_qos
       WHERE index1 = 'show' AND timestamp >= ${START} AND timestamp < ${START + SPAN} AND blob1 != 'delivery' GROUP BY blob6`,
    )
    .all();
  print(`SQLite: rebuffering by=asn: ${Math.round(performance.now() - began)} ms`);
  database.close();
}

function median(times: readonly number[]): number {
  return Math.round(times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? Number.NaN);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
