import { seconds } from '#shared/media-time.ts';
import { expect, it } from 'vitest';
import { measureBitrate } from './bitrate.ts';

it('gives the peak over a segment and the average over all', () => {
  const segments = [
    { bytes: 500_000, duration: seconds(2) },
    { bytes: 300_000, duration: seconds(1) },
  ];
  expect(measureBitrate(segments)).toEqual({ peak: 2_400_000, average: 2_133_334 });
});

it('gives 0 for nothing', () => {
  expect(measureBitrate([{ bytes: 9, duration: seconds(0) }])).toEqual({ peak: 0, average: 0 });
});
