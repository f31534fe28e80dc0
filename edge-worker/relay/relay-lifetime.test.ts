import { expect, it } from 'vitest';
import { plainReload, relaySeconds } from './relay-lifetime.ts';

const PATH = '/live/show/v/index.m3u8';

it.each([
  [`${PATH}?_HLS_msn=4&_HLS_part=1`, 200, 6],
  [PATH, 200, 1],
  ['/live/show/index.m3u8', 200, 1],
  ['/live/show/v/7-42.1.m4s', 200, 3_600],
  ['/live/show/v/7-42.1.m4s', 404, 1],
  [`${PATH}?_HLS_msn=x`, 400, 1],
  [PATH, 503, 0],
  [PATH, 500, 0],
])('keeps %s with status %i for %i s', (path, status, seconds) => {
  expect(relaySeconds(path, status)).toBe(seconds);
});

it('takes a whole blocking answer for the plain playlist, a delta update not', () => {
  expect(plainReload(`${PATH}?_HLS_msn=4&_HLS_part=1`)).toBe(PATH);
  expect(plainReload(`${PATH}?_HLS_msn=4&_HLS_part=1&_HLS_skip=YES`)).toBeUndefined();
  expect(plainReload(PATH)).toBeUndefined();
});
