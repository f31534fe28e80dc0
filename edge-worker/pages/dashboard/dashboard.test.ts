import { expect, test } from 'vitest';
import { bitrate, count, duration, orNothing, percent } from './format.ts';
import { spansOf } from './timeline.ts';

test('an event tells of the time before it: watched first, then stalled', () => {
  const events = [
    { event: 'startup', at_ms: 1_000, watched_ms: 0, stalled_ms: 0 },
    { event: 'heartbeat', at_ms: 11_000, watched_ms: 8_000, stalled_ms: 2_000 },
    { event: 'error', at_ms: 12_000, watched_ms: 0, stalled_ms: 0 },
  ];
  expect(spansOf(events)).toEqual([
    { kind: 'watched', from: 1_000, to: 9_000 },
    { kind: 'stalled', from: 9_000, to: 11_000 },
    { kind: 'error', from: 12_000, to: 12_000 },
  ]);
});

test('figures are written with their unit, and what was not measured is a dash', () => {
  expect([percent(0), percent(0.0123), percent(0.5)]).toEqual(['0.0 %', '1.23 %', '50.0 %']);
  expect([duration(321), duration(2_345), duration(61_000)]).toEqual(['321 ms', '2.35 s', '61.0 s']);
  expect([duration(125_000), duration(7_260_000)]).toEqual(['2 min 5 s', '2 h 1 min']);
  expect([bitrate(2_800_000), count(1_234), count(1.25)]).toEqual(['2.80 Mb/s', '1,234', '1.3']);
  expect([orNothing(null, count), orNothing(Number.NaN, count), orNothing(0, count)]).toEqual([
    '–',
    '–',
    '0',
  ]);
});
