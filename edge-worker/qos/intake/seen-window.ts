/** Which numbers of a sequence have come: a sliding window as in IPsec's anti-replay (RFC 4303 §3.4.3). */

/** Numbers below the highest that are still told apart; what is older than that counts as come. */
const WINDOW = 128n;
const MASK = (1n << WINDOW) - 1n;

/** What has come of one sequence. */
export interface SeenWindow {
  readonly highest: number;
  /** Bit n: the number n below the highest has come. */
  readonly bits: bigint;
}

/** The window with a further number in it; `undefined` where the number has come already. */
export function admit(seen: SeenWindow | undefined, seq: number): SeenWindow | undefined {
  if (seen === undefined) {
    return { highest: seq, bits: 1n };
  }
  const { highest, bits } = seen;
  if (seq > highest) {
    const step = BigInt(seq - highest);
    return { highest: seq, bits: step >= WINDOW ? 1n : ((bits << step) | 1n) & MASK };
  }
  const below = BigInt(highest - seq);
  return below >= WINDOW || ((bits >> below) & 1n) === 1n
    ? undefined
    : { highest, bits: bits | (1n << below) };
}
