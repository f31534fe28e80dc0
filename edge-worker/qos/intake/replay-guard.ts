/** Knows which events of a session have come already, as far as this isolate has seen them: the first of two guards. */

import { Recent } from './recent.ts';
import { admit, type SeenWindow } from './seen-window.ts';

/** Sessions remembered by an isolate, some 200 bytes each. */
const MAX_SESSIONS = 20_000;

/** Tells new events from those that come again; what other isolates have seen, the writer knows. */
export class ReplayGuard {
  readonly #sessions: Recent<SeenWindow>;

  constructor(limit: number = MAX_SESSIONS) {
    this.#sessions = new Recent(limit);
  }

  /** True for an event's number that the session has not brought before; remembers it. */
  isNew(session: string, seq: number): boolean {
    const next = admit(this.#sessions.get(session), seq);
    if (next === undefined) {
      return false;
    }
    this.#sessions.set(session, next);
    return true;
  }
}
