import { describe, expect, it } from 'vitest';
import { runFuzz } from './fuzz-run.ts';

/** Cases enough for a fast machine; a slow one stops by the clock. */
const MAX_CASES = 100_000;
const TIME_MS = 8_000;
/** What reading damaged captures may leave behind: garbage that waits for the collector. */
const MAX_LEFT_BYTES = 1024 * 1024 * 1024;

describe('readers of what encoders send, on damaged captures', () => {
  it('end with their own error or none, in time and within bounds', () => {
    const seed = Date.now() % 0x7fff_ffff;
    const before = process.memoryUsage().rss;
    const report = runFuzz({ seed, cases: MAX_CASES, timeMs: TIME_MS });
    const counts = JSON.stringify(Object.fromEntries(report.cases));
    process.stdout.write(`fuzz of ingest: seed ${seed}, cases ${counts}\n`);
    const broken = report.failures.map(({ target, what }) => `seed ${seed}, ${target}: ${what}`);
    expect(broken).toEqual([]);
    expect([...report.cases.keys()]).toEqual(['rtmp', 'amf0', 'flv', 'mpegts', 'psi', 'mp4']);
    expect(process.memoryUsage().rss - before).toBeLessThan(MAX_LEFT_BYTES);
  });
});
