/** Knows which events of a session have come already: a sliding window as in IPsec's anti-replay (RFC 4303 §3.4.3). */

import { Recent } from './recent.ts';

/** Events below the highest that are still told apart; what is older than that counts as replayed. */
const WINDOW = 128n;
const MASK = (1n << WINDOW) - 1n;
/** Sessions remembered by an isolate, some 200 bytes each. */
const MAX_SESSIONS = 20_000;

interface Seen {
  readonly highest: number;
  /** Bit n: the event n below the highest has come. */
  readonly bits: bigint;
}

/** Tells new events from those that come again; what one isolate has seen, another does not know. */
export class ReplayGuard {
  readonly #sessions: Recent<Seen>;

  constructor(limit: number = MAX_SESSIONS) {
    this.#sessions = new Recent(limit);
  }

  /** True for an event's number that the session has not brought before; remembers it. */
  isNew(session: string, seq: number): boolean {
    const seen = this.#sessions.get(session);
    const next = seen === undefined ? { highest: seq, bits: 1n } : take(seen, seq);
    if (next === undefined) {
      return false;
    }
    this.#sessions.set(session, next);
    return true;
  }
}

function take({ highest, bits }: Seen, seq: number): Seen | undefined {
  if (seq > highest) {
    const step = BigInt(seq - highest);
    return { highest: seq, bits: step >= WINDOW ? 1n : ((bits << step) | 1n) & MASK };
  }
  const below = BigInt(highest - seq);
  return below >= WINDOW || ((bits >> below) & 1n) === 1n
    ? undefined
    : { highest, bits: bits | (1n << below) };
}
