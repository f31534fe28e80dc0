import { describe, expect, it } from 'vitest';
import { seconds } from '#shared/media-time.ts';
import { dvrSchema, windowSegments } from './dvr.ts';

describe('the dvr setting', () => {
  it.each([
    [30, 30],
    [0.5 * 60, 30],
    ['90s', 90],
    ['30m', 1800],
    ['4h', 14_400],
    ['12h', 43_200],
  ])('%j is %d seconds', (given, expected) => {
    expect(dvrSchema.parse(given)).toBe(expected);
  });

  it.each([0, -5, '0s', '13h', 43_201, '4 h', '4d', '', '1e3s', null, '99999999h'])('refuses %j', (given) => {
    expect(dvrSchema.safeParse(given).success).toBe(false);
  });

  it('asks for segments of at least that much media, and for six at least', () => {
    expect(windowSegments(seconds(30), seconds(2))).toBe(15);
    expect(windowSegments(seconds(31), seconds(2))).toBe(16);
    expect(windowSegments(seconds(1), seconds(2))).toBe(6);
    expect(windowSegments(seconds(43_200), seconds(2))).toBe(21_600);
  });
});
