import { describe, expect, it } from 'vitest';
import { milliseconds } from '#shared/media-time.ts';
import { describeExit, nextRestart, NO_FAILURES, type RestartHistory } from './supervisor.ts';

/** Waits after runs that each lasted so long. */
function waits(runs: readonly number[]): readonly number[] {
  let history: RestartHistory = NO_FAILURES;
  return runs.map((lasted) => {
    const restart = nextRestart(history, milliseconds(1_000), milliseconds(1_000 + lasted));
    history = restart.history;
    return restart.delay;
  });
}

describe('nextRestart', () => {
  it('starts again at once, then waits longer up to five seconds', () => {
    expect(waits([100, 100, 100, 100, 100, 100, 100])).toEqual([0, 500, 1_000, 2_000, 5_000, 5_000, 5_000]);
  });

  it('forgets failures after ten healthy seconds', () => {
    expect(waits([100, 100, 100, 10_000, 100])).toEqual([0, 500, 1_000, 0, 500]);
  });
});

describe('describeExit', () => {
  it('tells the last lines that ffmpeg wrote', () => {
    const stderrTail = ['a', 'b', 'c', 'd'];
    expect(describeExit({ kind: 'failed', code: 1, signal: undefined, stderrTail })).toBe(
      'ffmpeg exited with code 1: b | c | d',
    );
    expect(describeExit({ kind: 'failed', code: undefined, signal: 'SIGKILL', stderrTail: [] })).toBe(
      'ffmpeg was ended by SIGKILL',
    );
    expect(describeExit({ kind: 'stalled', after: milliseconds(8_200), stderrTail: ['x'] })).toBe(
      'ffmpeg gave no output for 8.2 s of input and was ended: x',
    );
  });
});
