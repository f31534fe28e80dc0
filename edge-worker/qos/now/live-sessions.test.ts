import { expect, test } from 'vitest';
import { LiveSessions, type Heard } from './live-sessions.ts';
import { renderPrometheus } from './prometheus.ts';

const T = 1_800_000_000_000;

function heard(session: string, event: string, more: Partial<Heard> = {}): Heard {
  return { stream: 'show', session, event, watchedMs: 0, stalledMs: 0, latencyMs: 0, bitrate: 0, ...more };
}

test('viewers are those heard of within a heartbeat and a half who have not ended', () => {
  const live = new LiveSessions();
  live.hear(heard('a', 'startup'), T);
  live.hear(heard('b', 'heartbeat'), T + 1_000);
  live.hear(heard('c', 'heartbeat', { stream: 'other' }), T + 1_000);
  live.hear(heard('b', 'end'), T + 2_000);
  expect(live.snapshot(T + 2_000).map(({ stream, viewers }) => [stream, viewers])).toEqual([
    ['other', 1],
    ['show', 1],
  ]);
  expect(live.snapshot(T + 15_000).find(({ stream }) => stream === 'show')?.viewers).toBe(1);
  expect(live.snapshot(T + 16_001)).toEqual([]);
});

test('a stream that is published is there without a viewer, until fifteen seconds after its last part', () => {
  const live = new LiveSessions();
  live.published('show', T);
  expect(live.snapshot(T + 15_000)).toMatchObject([{ stream: 'show', live: true, viewers: 0 }]);
  live.hear(heard('a', 'heartbeat'), T + 15_000);
  expect(live.snapshot(T + 15_001)).toMatchObject([{ stream: 'show', live: false, viewers: 1 }]);
});

test('health is of the last ten seconds, and a viewer stands still from a stall to its end', () => {
  const live = new LiveSessions();
  live.hear(heard('a', 'heartbeat', { watchedMs: 9_000, latencyMs: 2_000, bitrate: 1_000 }), T);
  live.hear(heard('a', 'stall_begin', { watchedMs: 500, latencyMs: 4_000 }), T + 3_000);
  expect(live.snapshot(T + 3_000)).toEqual([
    {
      stream: 'show',
      live: false,
      ...{ viewers: 1, stalled: 1, rebufferingRatio: 0, stalls: 1, starts: 0, errors: 0 },
      ...{ latencyMs: 3_000, bitrate: 1_000 },
    },
  ]);
  live.hear(heard('a', 'stall_end', { stalledMs: 500 }), T + 4_000);
  expect(live.snapshot(T + 9_999)[0]).toMatchObject({ stalled: 0, rebufferingRatio: 0.05 });
  expect(live.snapshot(T + 12_000)[0]).toMatchObject({ stalls: 1, rebufferingRatio: 0.5, latencyMs: 4_000 });
});

test('Prometheus reads a gauge for each stream, and none of what was not measured', () => {
  const live = new LiveSessions();
  live.hear(heard('a', 'startup', { latencyMs: 2_500 }), T);
  const text = renderPrometheus(live.snapshot(T));
  expect(text).toContain('# TYPE rill_viewers gauge\nrill_viewers{stream="show"} 1\n');
  expect(text).toContain('rill_latency_seconds{stream="show"} 2.5\n');
  expect(text).not.toContain('rill_bitrate{');
});
