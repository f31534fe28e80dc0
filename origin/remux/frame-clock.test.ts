import { timescale } from '#shared/media-time.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameClock, type FrameTime } from './frame-clock.ts';

const SCALE = 90_000;
const TICKS_PER_MS = SCALE / 1000;

interface Pushed {
  readonly at: number;
  readonly times: readonly FrameTime[];
}

/** Time stamps of a constant rate as RTMP has them: whole milliseconds. */
function wholeMilliseconds(frames: number, framesPerSecond: number): readonly number[] {
  return Array.from({ length: frames }, (_, index) => Math.round((index * 1000) / framesPerSecond));
}

function pushAll(clock: FrameClock, milliseconds: readonly number[]): readonly Pushed[] {
  return milliseconds.map((at) => ({ at, times: clock.push(at * TICKS_PER_MS) }));
}

function video(): FrameClock {
  return new FrameClock({ timescale: timescale(SCALE) });
}

function isContiguous(times: readonly FrameTime[]): boolean {
  return times.every((time, index) => {
    const before = times[index - 1];
    return before === undefined || time.decodeTime === before.decodeTime + before.duration;
  });
}

describe('a frame clock of video', () => {
  it.each([24_000 / 1001, 25, 30_000 / 1001, 30, 50, 60])(
    'foretells durations at %f frames a second, without a hole and to within the rounding of time stamps',
    (framesPerSecond) => {
      const stamps = wholeMilliseconds(600, framesPerSecond);
      const pushed = pushAll(video(), stamps);
      const times = pushed.flatMap((one) => one.times);
      expect(isContiguous(times)).toBe(true);
      times.forEach(({ decodeTime, shift }, index) => {
        expect(shift).toBe(0);
        expect(Math.abs(decodeTime - (stamps[index] ?? 0) * TICKS_PER_MS)).toBeLessThan(2 * TICKS_PER_MS);
      });
      const late = pushed.filter(({ at, times: known }) => at > 4_500 && known.length !== 1);
      expect(late).toEqual([]);
      const exact = SCALE / framesPerSecond;
      for (const { duration } of times.slice(-60)) {
        expect(Math.abs(duration - exact)).toBeLessThan(TICKS_PER_MS / 4);
      }
    },
  );

  it('waits for the next frame before it has seen enough of them', () => {
    const [first, second] = pushAll(video(), wholeMilliseconds(2, 30));
    expect(first?.times).toEqual([]);
    expect(second?.times).toEqual([{ decodeTime: 0, duration: 33 * TICKS_PER_MS, shift: 0 }]);
  });

  it('waits for the next frame of a source whose frames come irregularly', () => {
    const stamps = Array.from({ length: 400 }, (_, index) => index * 33 + (index % 3) * 5);
    const pushed = pushAll(video(), stamps);
    expect(pushed.at(-1)?.times).toEqual([
      {
        decodeTime: (stamps[398] ?? 0) * TICKS_PER_MS,
        duration: ((stamps[399] ?? 0) - (stamps[398] ?? 0)) * TICKS_PER_MS,
        shift: 0,
      },
    ]);
  });

  it('shows the frame behind a dropped one at its time, and leaves no hole', () => {
    const stamps = wholeMilliseconds(300, 30).filter((_, index) => index !== 200);
    const times = pushAll(video(), stamps).flatMap((one) => one.times);
    expect(isContiguous(times)).toBe(true);
    const behind = times[200];
    const shown = (behind?.decodeTime ?? 0) + (behind?.shift ?? 0);
    expect(Math.abs(shown - (stamps[200] ?? 0) * TICKS_PER_MS)).toBeLessThan(2 * TICKS_PER_MS);
  });

  it('leaves a hole where the source paused, and goes on at its time', () => {
    const stamps = wholeMilliseconds(300, 30).map((at, index) => (index < 200 ? at : at + 5_000));
    const times = pushAll(video(), stamps).flatMap((one) => one.times);
    expect(times[200]?.decodeTime).toBe((stamps[200] ?? 0) * TICKS_PER_MS);
    expect(isContiguous(times.slice(200))).toBe(true);
  });

  it('hands a clock that was set back on as it is', () => {
    const stamps = wholeMilliseconds(300, 30).map((at, index) => (index < 200 ? at : at - 5_000));
    const times = pushAll(video(), stamps).flatMap((one) => one.times);
    expect(times[200]?.decodeTime).toBe((stamps[200] ?? 0) * TICKS_PER_MS);
  });

  it('gives each frame a time once and in order, whatever its time stamps', () => {
    const step = fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom(33, 34) },
      { weight: 1, arbitrary: fc.integer({ min: -3_000, max: 12_000 }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        let at = 0;
        const clock = video();
        const stamps = steps.map((by) => (at += by));
        const times = [...pushAll(clock, stamps).flatMap((one) => one.times), ...clock.end()];
        expect(times).toHaveLength(stamps.length);
        times.forEach(({ duration, decodeTime }, index) => {
          const before = times[index - 1];
          expect(duration).toBeGreaterThan(0);
          const back = before === undefined ? 0 : before.decodeTime + before.duration - decodeTime;
          expect(back <= 0 || back > SCALE).toBe(true);
        });
      }),
    );
  });
});

describe('a frame clock of audio', () => {
  const FRAME = 1024;
  const RATE = 48_000;

  function audio(stamps: readonly number[]): readonly FrameTime[] {
    const clock = new FrameClock({ timescale: timescale(RATE), frameTicks: FRAME });
    return stamps.flatMap((at) => clock.push((at * RATE) / 1000));
  }

  it('gives every frame its own length at once, whatever the rounding of time stamps', () => {
    const times = audio(wholeMilliseconds(500, RATE / FRAME));
    expect(times).toHaveLength(500);
    expect(times.every(({ duration }) => duration === FRAME)).toBe(true);
    expect(isContiguous(times)).toBe(true);
  });

  it('follows time stamps that drift away, half a frame behind at most', () => {
    const stamps = wholeMilliseconds(5_000, (RATE / FRAME) * 0.999);
    const times = audio(stamps);
    expect(isContiguous(times)).toBe(true);
    times.forEach(({ decodeTime, shift }, index) => {
      expect(shift).toBe(0);
      expect(Math.abs(decodeTime - ((stamps[index] ?? 0) * RATE) / 1000)).toBeLessThan(FRAME * 0.6);
    });
  });
});
