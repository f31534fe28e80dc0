import { milliseconds, timescale } from '#shared/media-time.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { secondsBetween } from './instant.ts';
import { programDateTime, wholeAnchor } from './program-clock.ts';

const VIDEO = timescale(90_000);
const AUDIO = timescale(48_000);
const someTicks = fc.integer({ min: 0, max: 1_000_000_000 });
const someTime = fc.double({ min: 1.6e12, max: 2e12, noNaN: true });

describe('EXT-X-PROGRAM-DATE-TIME', () => {
  it('puts audio no later beside the pictures than its samples are, and less than three milliseconds earlier', () => {
    fc.assert(
      fc.property(
        someTime,
        someTicks,
        fc.nat(1_000_000),
        fc.nat(1_000_000),
        (wallClock, start, picture, sound) => {
          const first = { ticks: start, timescale: VIDEO };
          const anchor = wholeAnchor({ instant: first, wallClock: milliseconds(wallClock) }, first);
          const shown = { ticks: start + picture, timescale: VIDEO };
          const heard = { ticks: Math.ceil((start * AUDIO) / VIDEO) + sound, timescale: AUDIO };
          const dated = programDateTime(anchor, heard, 'audio') - programDateTime(anchor, shown, 'video');
          const real = secondsBetween(shown, heard) * 1000;
          expect(dated).toBeLessThan(real);
          expect(dated).toBeGreaterThan(real - 3);
        },
      ),
    );
  });

  it('is exact for pictures that lie whole milliseconds behind the first', () => {
    const first = { ticks: 8_910_001, timescale: VIDEO };
    const anchor = wholeAnchor({ instant: first, wallClock: milliseconds(1_800_000_000_000.4) }, first);
    const later = { ticks: 8_910_001 + 2 * VIDEO, timescale: VIDEO };
    expect(programDateTime(anchor, later, 'video')).toBe(1_800_000_002_000);
  });
});
