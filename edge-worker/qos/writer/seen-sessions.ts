/**
 * Which events of which sessions have been taken, in the writer's own storage: an event counts once whichever
 * isolate it comes through, however often it is sent, and across restarts.
 */

import { admit, type SeenWindow } from '../intake/seen-window.ts';
import type { EventKey } from './row-line.ts';

/** A session silent for longer is forgotten, milliseconds: as old as an event may be. */
const REMEMBERED_MS = 86_400_000;
/** Sessions remembered, some 100 bytes each; beyond, those silent for longest are forgotten. */
const MAX_SESSIONS = 1_000_000;
/** Share of them that goes at once, so that it is not asked for again soon. */
const FORGOTTEN_SHARE = 0.1;
/** Time between two looks for what may be forgotten, milliseconds. */
const FORGET_EVERY_MS = 600_000;

/** The sessions that the writer knows. */
export class SeenSessions {
  readonly #sql: SqlStorage;
  #nextForget = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      'CREATE TABLE IF NOT EXISTS seen (session TEXT PRIMARY KEY, highest INTEGER, bits TEXT, at INTEGER) WITHOUT ROWID',
    );
  }

  /** Tells which of a call's events are new, in their order, and remembers them; `now` in Unix ms. */
  takeNew(keys: readonly (EventKey | undefined)[], now: number): readonly boolean[] {
    const windows = this.#read(keys);
    const touched = new Set<string>();
    const isNew = keys.map((key) => {
      const next = key === undefined ? undefined : admit(windows.get(key.session), key.seq);
      if (key === undefined || next === undefined) {
        return key === undefined;
      }
      windows.set(key.session, next);
      touched.add(key.session);
      return true;
    });
    this.#write(
      [...windows].filter(([session]) => touched.has(session)),
      now,
    );
    this.#forget(now);
    return isNew;
  }

  #read(keys: readonly (EventKey | undefined)[]): Map<string, SeenWindow> {
    const sessions = [...new Set(keys.flatMap((key) => (key === undefined ? [] : [key.session])))];
    const rows = this.#sql
      .exec<{
        session: string;
        highest: number;
        bits: string;
      }>(
        'SELECT session, highest, bits FROM seen WHERE session IN (SELECT value FROM json_each(?))',
        JSON.stringify(sessions),
      )
      .toArray();
    return new Map(rows.map(({ session, highest, bits }) => [session, { highest, bits: BigInt(bits) }]));
  }

  /** One statement for a whole call: one of a statement each would cost the writer most of its time. */
  #write(windows: readonly (readonly [session: string, window: SeenWindow])[], now: number): void {
    const rows = windows.map(([session, { highest, bits }]) => [session, highest, `0x${bits.toString(16)}`]);
    this.#sql.exec(
      `INSERT OR REPLACE INTO seen
       SELECT value ->> 0, value ->> 1, value ->> 2, ? FROM json_each(?)`,
      now,
      JSON.stringify(rows),
    );
  }

  #forget(now: number): void {
    if (now < this.#nextForget) {
      return;
    }
    this.#nextForget = now + FORGET_EVERY_MS;
    this.#sql.exec('DELETE FROM seen WHERE at < ?', now - REMEMBERED_MS);
    const { count } = this.#sql.exec<{ count: number }>('SELECT count(*) AS count FROM seen').one();
    if (count > MAX_SESSIONS) {
      const gone = count - MAX_SESSIONS * (1 - FORGOTTEN_SHARE);
      this.#sql.exec(
        'DELETE FROM seen WHERE session IN (SELECT session FROM seen ORDER BY at LIMIT ?)',
        Math.ceil(gone),
      );
    }
  }
}
