import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';

test.each([
  ['90', 90],
  ['90s', 90],
  ['5m', 300],
  ['12h', 43_200],
  ['7d', 604_800],
])('reads %s as %d seconds', (text, expected) => {
  expect(parseDuration(text)).toEqual({ ok: true, value: expected });
});

test.each(['', '0', '-1', '1.5h', '5 m', '5min', 'm', '1e3', '367d', '99999999999'])(
  'refuses "%s"',
  (text) => {
    expect(parseDuration(text).ok).toBe(false);
  },
);
