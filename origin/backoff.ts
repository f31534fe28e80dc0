/** How long to wait before the next try. */

/** Bounds of a back-off, milliseconds. */
export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Beyond this exponent every back-off has reached its cap; keeps the power finite. */
const MAX_EXPONENT = 20;

/**
 * Milliseconds to wait before try `attempt` (1 is the first repeat): doubled each time, capped, and spread
 * over its upper half so that streams that failed together do not return together. `random` is in [0, 1).
 */
export function retryDelay(attempt: number, backoff: Backoff, random: number): number {
  const exponent = Math.min(Math.max(attempt - 1, 0), MAX_EXPONENT);
  const delay = Math.min(backoff.maxMs, backoff.baseMs * 2 ** exponent);
  return delay * (0.5 + random / 2);
}

/** Resolves after `ms` milliseconds, or as soon as `signal` is aborted; never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
