/** The epoch of a run that no hub could be asked about. */

/** Seconds over which origins that cannot ask the hub spread the epochs of their first runs. */
const SPREAD = 997;

/** An epoch that is no other origin's, nor one that was used here. `random` is in [0, 1), `now` Unix milliseconds. */
export function unaskedEpoch(before: number | undefined, now: number, random: number): number {
  return before === undefined ? Math.floor(now / 1000) + Math.floor(random * SPREAD) : before + 1;
}
