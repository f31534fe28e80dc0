import { expect, test } from 'vitest';
import fc from 'fast-check';
import { readOnlyStatement } from './read-only.ts';

test.each([
  'SELECT 1',
  'select count() from rill_qos',
  "SELECT country, sum(_sample_interval) AS n FROM rill_qos WHERE event = 'startup' GROUP BY country ORDER BY n DESC LIMIT 10;",
  'SELECT blob4, quantileExactWeighted(0.95)(double3, _sample_interval) FROM rill_qos GROUP BY blob4',
  'SELECT q.s FROM (SELECT blob2 AS s, sum(double2) AS stalled FROM rill_qos GROUP BY s) AS q WHERE q.stalled > 1000',
  "WITH bad AS (SELECT session FROM rill_qos WHERE event = 'error') SELECT count() FROM bad",
  'SELECT a.session FROM rill_qos AS a INNER JOIN rill_qos AS b ON a.session = b.session',
  "SELECT uniqExactIf(session, event IN ('startup', 'end')) FROM rill_qos",
  'SELECT sum(double1) OVER (PARTITION BY blob2 ORDER BY timestamp) FROM rill_qos',
  "SELECT toStartOfInterval(timestamp, INTERVAL '1' HOUR) AS t FROM rill_qos WHERE session IN (SELECT session FROM rill_qos)",
  'SELECT `country`, "asn" FROM "rill_qos"',
  "SELECT 'INSERT INTO x; DROP TABLE y -- not one' FROM rill_qos",
])('takes %s', (sql) => {
  expect(readOnlyStatement(sql)).toEqual({ ok: true, value: sql.replace(/;$/, '') });
});

test.each([
  "INSERT INTO rill_qos (index1) VALUES ('x')",
  'ALTER TABLE rill_qos DELETE WHERE 1',
  'DROP TABLE rill_qos',
  'SELECT 1; DROP TABLE rill_qos',
  'SELECT 1 -- ; \n; DROP TABLE rill_qos',
  'SELECT 1 /* */ ; DROP TABLE rill_qos',
  'SELECT 1 # comment',
  "SELECT * FROM url('http://127.0.0.1:1/', CSV)",
  "SELECT * FROM file('/etc/passwd', 'LineAsString')",
  "SELECT file('/etc/passwd')",
  "SELECT * FROM s3('https://bucket/x')",
  "SELECT * FROM remote('127.0.0.1', system.tables)",
  "SELECT * FROM executable('id')",
  "SELECT * FROM `file`('/etc/passwd')",
  'SELECT * FROM system.tables',
  'SELECT * FROM "system"."tables"',
  'SELECT * FROM `system` . `users`',
  'SELECT * FROM rill_qos, system.tables',
  'SELECT * FROM rill_qos q, system.tables',
  'SELECT * FROM rill_qos AS q, tables',
  'SELECT * FROM rill_qos JOIN system.one ON 1',
  'SELECT * FROM rill_qos CROSS JOIN one',
  'SELECT 1 WHERE 1 IN system.one',
  'SELECT 1 WHERE 1 IN one',
  'SELECT * FROM numbers(100000000)',
  'SELECT * FROM (SHOW TABLES)',
  'SELECT sleep(3)',
  'SELECT sleepEachRow(3) FROM rill_qos',
  "SELECT dictGet('d', 'a', 1)",
  "SELECT getSetting('max_threads')",
  'SELECT hostName(), currentUser()',
  'SELECT 1 SETTINGS readonly = 0',
  "SELECT 1 INTO OUTFILE '/tmp/x'",
  'SELECT 1 FORMAT Null',
  'SET readonly = 0',
  'SYSTEM SHUTDOWN',
  'EXPLAIN SELECT 1',
  'DESCRIBE rill_qos',
  "SELECT 'a\\' FROM system.tables --'",
  'SELECT {x:String}',
  'SELECT $$a$$',
  "SELECT 'open",
  'SELECT 1\u0000',
  '',
  ';',
  `SELECT ${'1,'.repeat(20_000)}1`,
])('refuses %s', (sql) => {
  expect(readOnlyStatement(sql)).toMatchObject({ ok: false, failure: { reason: 'sql-refused' } });
});

test('no text makes it throw or hang', () => {
  const pieces = fc.constantFrom(
    'SELECT',
    'FROM',
    'rill_qos',
    '(',
    ')',
    ',',
    "'",
    '"',
    '`',
    '.',
    ';',
    'system',
    'IN',
    'AS',
    'WITH',
    ' ',
    '\\',
    '1',
    'file',
  );
  /** Texts and names in quotes: what is in them is no statement. */
  const QUOTED = /(['"`])(?:\\.|(?!\1)[^\\]|\1\1)*\1/gs;
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string({ maxLength: 4 })), { maxLength: 60 }), (words) => {
      const judged = readOnlyStatement(words.join(' '));
      if (judged.ok) {
        expect(judged.value.replaceAll(QUOTED, '')).not.toMatch(/;|\bfile\s*\(/);
      }
    }),
    { numRuns: 3_000 },
  );
});
