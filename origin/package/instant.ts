/** Points of media time, compared exactly across timescales. */

import { seconds, type Seconds, type Timescale } from '#shared/media-time.ts';

/** An integer count of ticks in its own timescale. */
export interface Instant {
  readonly ticks: number;
  readonly timescale: Timescale;
}

/**
 * Compares two instants: negative where `a` is earlier, 0 where they are the same, positive where it is later.
 * Exact: whole seconds first, then the products of the remainders, which stay below 2^53.
 */
export function compareInstants(a: Instant, b: Instant): number {
  const wholeA = Math.floor(a.ticks / a.timescale);
  const wholeB = Math.floor(b.ticks / b.timescale);
  if (wholeA !== wholeB) {
    return wholeA - wholeB;
  }
  return (a.ticks - wholeA * a.timescale) * b.timescale - (b.ticks - wholeB * b.timescale) * a.timescale;
}

/** The later of two instants; `a` where `b` is not known. */
export function laterInstant(a: Instant, b: Instant | undefined): Instant {
  return b !== undefined && compareInstants(b, a) > 0 ? b : a;
}

/** The earliest of some instants, at least one. */
export function earliestInstant(instants: readonly Instant[]): Instant {
  return instants.reduce((earliest, instant) =>
    compareInstants(instant, earliest) < 0 ? instant : earliest,
  );
}

/** Time from one instant to another, negative where `to` is earlier. */
export function secondsBetween(from: Instant, to: Instant): Seconds {
  const wholeFrom = Math.floor(from.ticks / from.timescale);
  const wholeTo = Math.floor(to.ticks / to.timescale);
  const restFrom = (from.ticks - wholeFrom * from.timescale) / from.timescale;
  const restTo = (to.ticks - wholeTo * to.timescale) / to.timescale;
  return seconds(wholeTo - wholeFrom + (restTo - restFrom));
}
