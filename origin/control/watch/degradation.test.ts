import { expect, test } from 'vitest';
import {
  advance,
  degradedSchema,
  HEALTHY,
  judge,
  type HealthReadings,
  type HealthState,
} from './degradation.ts';

const limits = degradedSchema.parse({});
const FINE: HealthReadings = {
  ...{ encoderSpeed: 1, partLatenessP95Ms: 80, hubConnected: true, storageAway: false, srtLoss: 0 },
};

test.each([
  ['slow', { encoderSpeed: 0.9 }],
  ['late-parts', { partLatenessP95Ms: 1_001 }],
  ['hub-away', { hubConnected: false }],
  ['storage-away', { storageAway: true }],
  ['srt-loss', { srtLoss: 0.06 }],
])('a stream is degraded: %s', (reason, reading) => {
  expect(judge({ ...FINE, ...reading }, limits).map((found) => found.reason)).toEqual([reason]);
});

test('what is not known is no reason', () => {
  const unknown = {
    encoderSpeed: undefined,
    partLatenessP95Ms: undefined,
    hubConnected: undefined,
    srtLoss: undefined,
  };
  expect(judge({ ...FINE, ...unknown }, limits)).toEqual([]);
});

test('a reason counts when it has lasted, and until it has been away for longer: it does not flap', () => {
  let state: HealthState = HEALTHY;
  const counts = Array.from({ length: 60 }, (_, second) => {
    const wrong =
      (second >= 10 && second < 13) || (second >= 20 && second < 30 && second % 2 === 0) || second === 31;
    const found = judge({ ...FINE, storageAway: wrong || (second >= 20 && second < 28) }, limits);
    const next = advance(state, found, { now: second * 1_000, limits });
    state = next.state;
    return next.told.length;
  });
  expect(counts.indexOf(1)).toBe(25);
  expect(counts.lastIndexOf(1)).toBe(45);
  expect(counts.slice(25, 46)).not.toContain(0);
});
