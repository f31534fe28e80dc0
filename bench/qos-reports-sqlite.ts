/** The reports as SQLite says them: what its dialect lacks of quantiles is ranked by hand. */

type Statement = (where: string, session: string) => string;

const PLAYER = "blob1 != 'delivery'";

/** Statements by report, over the rows of a condition, or of one session. */
export const SQLITE_REPORTS: Readonly<Record<string, Statement>> = {
  concurrents: (where) =>
    `SELECT timestamp / 60 * 60 AS time, (sum(double1) + sum(double2)) / 60000, sum(blob1 = 'startup')
     FROM rill_qos WHERE ${where} AND ${PLAYER} GROUP BY time ORDER BY time`,
  sessions: (where) =>
    `SELECT count(DISTINCT blob2), count(DISTINCT blob3), sum(blob1 = 'session_start'), sum(blob1 = 'end'), sum(double1)
     FROM rill_qos WHERE ${where} AND ${PLAYER}`,
  startup: (where) => quantiles('blob4', 'double3', `${where} AND blob1 = 'startup'`),
  rebuffering: (where) =>
    `SELECT blob6, sum(double1), sum(double2), sum(double2) / (sum(double1) + sum(double2)), sum(blob1 = 'stall_begin')
     FROM rill_qos WHERE ${where} AND ${PLAYER} GROUP BY blob6 ORDER BY blob6`,
  failures: (where) =>
    `SELECT blob4, sum(blob1 = 'session_start'), sum(blob1 = 'startup'), sum(blob1 = 'error')
     FROM rill_qos WHERE ${where} AND ${PLAYER} GROUP BY blob4 ORDER BY blob4`,
  bitrate: (where) =>
    `SELECT blob9, sum(double1), sum(double1 * double4) / sum(double1)
     FROM rill_qos WHERE ${where} AND ${PLAYER} AND double4 > 0 GROUP BY blob9`,
  latency: (where) =>
    quantiles('timestamp / 3600 * 3600', 'double6', `${where} AND ${PLAYER} AND double6 > 0`),
  top: (where) =>
    `SELECT blob6, count(DISTINCT blob2) AS sessions, sum(double1), sum(double2), sum(blob1 = 'stall_begin')
     FROM rill_qos WHERE ${where} AND ${PLAYER} GROUP BY blob6 ORDER BY sessions DESC LIMIT 50`,
  worst: (where) =>
    `SELECT blob2, blob4, blob6, sum(double2) AS stalled, sum(double1), max(double3), max(timestamp)
     FROM rill_qos WHERE ${where} AND ${PLAYER} GROUP BY blob2, blob4, blob6 ORDER BY stalled DESC LIMIT 50`,
  'session/{id}': (_, session) =>
    `SELECT * FROM rill_qos WHERE blob2 = '${session}' ORDER BY double11 LIMIT 2000`,
};

function quantiles(group: string, value: string, where: string): string {
  const at = (share: number): string => `min(CASE WHEN place >= ${share} * total THEN value END)`;
  return `SELECT of, total, ${at(0.5)}, ${at(0.95)}, ${at(0.99)} FROM (
      SELECT ${group} AS of, ${value} AS value, row_number() OVER (PARTITION BY ${group} ORDER BY ${value}) AS place,
        count(*) OVER (PARTITION BY ${group}) AS total FROM rill_qos WHERE ${where})
    GROUP BY of ORDER BY of`;
}
