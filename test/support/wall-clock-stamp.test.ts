import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readStamp, writeStamp } from './wall-clock-stamp.ts';

test('a stamp written into a luma plane is read back, whatever the time', () => {
  const data = new Uint8Array(640 * 360).fill(90);
  const plane = { data, width: 640, height: 360, stride: 640 };
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (time) => {
      writeStamp(plane, time);
      expect(readStamp(plane, time + 1500)).toBe(time);
    }),
  );
});

test('a picture without a stamp has none', () => {
  const plane = { data: new Uint8Array(640 * 360).fill(90), width: 640, height: 360, stride: 640 };
  expect(readStamp(plane, 1_800_000_000_000)).toBeUndefined();
});
