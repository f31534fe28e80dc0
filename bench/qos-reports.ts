/**
 * Every report over ten million points on chDB, beside the same points in SQLite with indexes, and the ratio:
 * `node bench/qos-reports.ts [rows]`.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import { createTableStatement } from '#shared/qos/table-definition.ts';
import { ESTIMATED_DISTINCT } from '../edge-worker/qos/engine/query-engine.ts';
import { REPORTS } from '../edge-worker/qos/reports/definitions.ts';
import { readQuestion } from '../edge-worker/qos/reports/question.ts';
import { reportStatement, timelineStatement } from '../edge-worker/qos/reports/report-sql.ts';
import { SQLITE_REPORTS } from './qos-reports-sqlite.ts';

const ROWS = Number(process.argv[2] ?? 10_000_000);
/** Each statement is run so often; the median counts. */
const RUNS = 3;
const START = 1_800_000_000;
const SPAN = 86_400;
const SESSION = '0000000000000042';
/** How each report is asked; those that are not named are asked for the whole time in one row. */
const QUERIES: Readonly<Record<string, string>> = {
  concurrents: 'step=1m',
  startup: 'by=country',
  rebuffering: 'by=asn',
  failures: 'by=country',
  bitrate: 'by=rendition',
  latency: 'step=1h',
  top: 'by=asn',
};
const SETTINGS = Object.entries(ESTIMATED_DISTINCT).map(([name, value]) => `${name} = '${value}'`);

const folder = await mkdtemp(join(tmpdir(), 'rill-qos-bench-'));
try {
  const times = await measureChdb();
  measureSqlite(times);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measureChdb(): Promise<ReadonlyMap<string, number>> {
  const session = new Session(join(folder, 'chdb'));
  session.query(createTableStatement());
  const filled = performance.now();
  await session.queryAsync(
    `INSERT INTO rill_qos (timestamp, index1, blob1, blob2, blob3, blob4, blob6, blob9, double1, double2, double3, double4, double6, double11, double13, double14, double15, double20)
     SELECT toDateTime(${START}) + intDiv(number * ${SPAN}, ${ROWS}) AS t, 'show',
       ['heartbeat','heartbeat','delivery','heartbeat','heartbeat','heartbeat','startup','stall_begin','stall_end','session_start'][number % 10 + 1],
       leftPad(toString(number % 100000), 16, '0'), leftPad(toString(number % 80000), 16, '0'), ['DE','FR','IT','ES'][number % 4 + 1],
       toString(number % 500), '720p', 10000, if(number % 10 = 8, 900, 0), if(number % 10 = 6, 300 + number % 900, 0),
       3000000, 1500 + number % 3000, intDiv(number, 100000), 200, 40000, number % 50, 1 FROM numbers(${ROWS})`,
  );
  print(`chDB: ${ROWS} rows in ${Math.round(performance.now() - filled)} ms`);
  const medians = new Map<string, number>();
  for (const [name, sql] of statements()) {
    const times: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const began = performance.now();
      await session.queryAsync(`${sql}\nSETTINGS ${SETTINGS.join(', ')}`, { format: 'JSON' });
      times.push(performance.now() - began);
    }
    medians.set(name, median(times));
    print(`chDB: ${name} ${QUERIES[name] ?? ''}: ${median(times)} ms`);
  }
  session.close();
  return medians;
}

function statements(): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const report of Object.keys(REPORTS)) {
    const asked = new URLSearchParams(
      `stream=show&from=${START}&to=${START + SPAN}&${QUERIES[report] ?? ''}`,
    );
    const question = readQuestion(report, asked, START + SPAN);
    if (question.ok && question.value.kind === 'report') {
      texts.set(report, reportStatement(question.value.question).sql);
    }
  }
  const window = { stream: undefined, from: START, to: START + SPAN };
  return texts.set('session/{id}', timelineStatement(window, SESSION).sql);
}

function measureSqlite(chdb: ReadonlyMap<string, number>): void {
  const database = new DatabaseSync(join(folder, 'sqlite'));
  database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000');
  database.exec(
    `CREATE TABLE rill_qos (timestamp INT, index1 TEXT, blob1 TEXT, blob2 TEXT, blob3 TEXT, blob4 TEXT, blob6 TEXT,
       blob9 TEXT, double1 REAL, double2 REAL, double3 REAL, double4 REAL, double6 REAL, double11 REAL)`,
  );
  const filled = performance.now();
  database.exec(
    `INSERT INTO rill_qos WITH RECURSIVE n(number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM n LIMIT ${ROWS})
     SELECT ${START} + number * ${SPAN} / ${ROWS}, 'show',
       CASE number % 10 WHEN 2 THEN 'delivery' WHEN 6 THEN 'startup' WHEN 7 THEN 'stall_begin' WHEN 8 THEN 'stall_end'
         WHEN 9 THEN 'session_start' ELSE 'heartbeat' END,
       printf('%016d', number % 100000), printf('%016d', number % 80000),
       CASE number % 4 WHEN 0 THEN 'DE' WHEN 1 THEN 'FR' WHEN 2 THEN 'IT' ELSE 'ES' END, number % 500, '720p', 10000,
       CASE number % 10 WHEN 8 THEN 900 ELSE 0 END, CASE number % 10 WHEN 6 THEN 300 + number % 900 ELSE 0 END,
       3000000, 1500 + number % 3000, number / 100000 FROM n`,
  );
  database.exec('CREATE INDEX by_time ON rill_qos (index1, timestamp)');
  database.exec('CREATE INDEX by_event ON rill_qos (index1, blob1, timestamp)');
  database.exec('CREATE INDEX by_session ON rill_qos (blob2, timestamp)');
  database.exec('ANALYZE');
  print(`SQLite: ${ROWS} rows and three indexes in ${Math.round(performance.now() - filled)} ms`);
  const where = `index1 = 'show' AND timestamp >= ${START} AND timestamp < ${START + SPAN}`;
  for (const [name, statement] of Object.entries(SQLITE_REPORTS)) {
    const began = performance.now();
    const rows = database.prepare(statement(where, SESSION)).all();
    const took = Math.round(performance.now() - began);
    const ratio = (took / (chdb.get(name) ?? Number.NaN)).toFixed(1);
    print(`SQLite: ${name}: ${took} ms for ${rows.length} rows, ${ratio} times chDB's`);
  }
  database.close();
}

function median(times: readonly number[]): number {
  return Math.round(times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? Number.NaN);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
