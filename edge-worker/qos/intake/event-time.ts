/** When an event happened by the edge's clock, from what the viewer's clock says of it. */

/** Oldest event that is taken, milliseconds: a player's queue may wait for a network that long. */
const MAX_AGE_MS = 86_400_000;

/**
 * Corrects a time by how far the viewer's clock was off when the beacon was sent. A time after the sending is set
 * to now; one older than a day is none (`undefined`). All in Unix milliseconds.
 */
export function eventTime(input: {
  readonly at: number;
  readonly sentAt: number;
  readonly now: number;
}): number | undefined {
  const { at, sentAt, now } = input;
  const corrected = Math.min(now, at + (now - sentAt));
  return now - corrected > MAX_AGE_MS ? undefined : corrected;
}
