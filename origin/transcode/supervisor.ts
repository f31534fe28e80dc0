/** When a transcoder that ended by itself is started again. */

import { milliseconds, type Milliseconds } from '#shared/media-time.ts';
import type { TranscoderExit } from './ffmpeg-process.ts';

/** Waits before the first, second, … start after failures in a row; the last holds for all further ones. */
const RESTART_DELAYS = [0, 500, 1_000, 2_000, 5_000].map((delay) => milliseconds(delay));
/** A run that lasted so long was healthy: the failure after it is a first one again. */
const HEALTHY_AFTER = milliseconds(10_000);

/** Failures of one source in a row. */
export interface RestartHistory {
  readonly failures: number;
}

/** The history of a source that was never restarted. */
export const NO_FAILURES: RestartHistory = { failures: 0 };

/** The wait before the next start, and the history to pass in when that run fails as well. */
export interface Restart {
  readonly delay: Milliseconds;
  readonly history: RestartHistory;
}

/** Decides the wait after a run that began at `startedAt` and failed at `now`. */
export function nextRestart(history: RestartHistory, startedAt: Milliseconds, now: Milliseconds): Restart {
  const inARow = now - startedAt >= HEALTHY_AFTER ? 0 : history.failures;
  const delay = RESTART_DELAYS[Math.min(inARow, RESTART_DELAYS.length - 1)] ?? milliseconds(0);
  return { delay, history: { failures: inARow + 1 } };
}

/** One line for the log: what happened, ffmpeg's last words, and what to do where something can be done. */
export function describeExit(exit: TranscoderExit): string {
  switch (exit.kind) {
    case 'finished':
      return 'ffmpeg finished';
    case 'failed':
      return `ffmpeg ${exit.signal === undefined ? `exited with code ${exit.code ?? '?'}` : `was ended by ${exit.signal}`}${lastWords(exit.stderrTail)}`;
    case 'stalled':
      return `ffmpeg gave no output for ${(exit.after / 1000).toFixed(1)} s of input and was ended${lastWords(exit.stderrTail)}`;
    case 'spawn-failed':
      return exit.detail;
  }
}

/** Lines of standard error that go into one log line. */
const LAST_WORDS = 3;

function lastWords(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `: ${lines.slice(-LAST_WORDS).join(' | ')}`;
}
