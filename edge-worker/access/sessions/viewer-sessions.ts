/**
 * One viewer's sessions across the world: who has a place, kept in SQLite so that a restart frees none. Tokens that
 * may be used once have objects of this class too, each one of its own.
 */

import { DurableObject } from 'cloudflare:workers';
import type { SessionLimit } from '../../../shared/access/grant.ts';
import type { Env } from '../../env.ts';
import { decideLease, LEASE_MS, type Lease } from './lease.ts';

/** A session that begins or is heard again. */
export interface SessionCall {
  readonly session: string;
  readonly stream: string;
  readonly country: string | undefined;
  /** Unix milliseconds, as an earlier answer told; `undefined` for a session that begins. */
  readonly started: number | undefined;
  readonly sessions: SessionLimit;
}

/** Whether a session has a place. */
export interface SessionAnswer {
  readonly held: boolean;
  /** When the session began, Unix milliseconds. */
  readonly started: number;
}

type LeaseColumns = {
  session: string;
  stream: string;
  country: string | null;
  started: number;
  until: number;
};

/** Key of a token's mark. */
const CLAIMED = 'claimed';
/** After a token's expiry, milliseconds: clocks of other locations may still be behind it. */
const CLAIM_KEPT_MS = 60_000;

/** Keeps the leases of one viewer; the object's name is the viewer's. */
export class ViewerSessions extends DurableObject<Env> {
  readonly #sql: SqlStorage;
  #leases: readonly Lease[] = [];
  #stored = false;
  #lastStarted = 0;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#sql = state.storage.sql;
    this.#load();
  }

  /** Gives a session a place, or renews the one it has. */
  async hear(call: SessionCall): Promise<SessionAnswer> {
    const now = Date.now();
    const { sessions, ...session } = call;
    const started = call.started ?? Math.max(now, this.#lastStarted + 1);
    this.#lastStarted = Math.max(this.#lastStarted, started);
    const { held, leases } = decideLease({
      leases: this.#leases,
      asked: { ...session, started },
      sessions,
      now,
    });
    await this.#store(leases, now);
    return { held, started };
  }

  /** Whether this object's token is given up for the first time; kept until it expires, Unix milliseconds. */
  async claim(until: number): Promise<boolean> {
    if ((await this.ctx.storage.get(CLAIMED)) !== undefined) {
      return false;
    }
    await this.ctx.storage.put(CLAIMED, true);
    await this.ctx.storage.setAlarm(Math.max(until + CLAIM_KEPT_MS, Date.now() + CLAIM_KEPT_MS));
    return true;
  }

  /** The sessions that play now. */
  async list(): Promise<readonly Lease[]> {
    const now = Date.now();
    return this.#leases.filter(({ until }) => until > now);
  }

  /** Runs when the newest lease known at that time has run out: a viewer who left costs no storage. */
  override async alarm(): Promise<void> {
    const playing = await this.list();
    if (playing.length === 0) {
      this.#leases = [];
      this.#stored = false;
      await this.ctx.storage.deleteAll();
    } else {
      await this.ctx.storage.setAlarm(lastUntil(playing));
    }
  }

  #load(): void {
    if (this.#sql.exec("SELECT name FROM sqlite_master WHERE name = 'lease'").toArray().length === 0) {
      return;
    }
    this.#stored = true;
    this.#leases = this.#sql
      .exec<LeaseColumns>('SELECT session, stream, country, started, until FROM lease')
      .toArray()
      .map(({ country, ...lease }) => ({ ...lease, country: country ?? undefined }));
    this.#lastStarted = Math.max(0, ...this.#leases.map(({ started }) => started));
  }

  async #store(leases: readonly Lease[], now: number): Promise<void> {
    const before = this.#leases;
    const isFirst = !this.#stored;
    this.#leases = leases;
    if (isFirst) {
      this.#createTable();
    }
    const kept = new Set(leases.map(({ session }) => session));
    for (const { session } of before) {
      if (!kept.has(session)) {
        this.#sql.exec('DELETE FROM lease WHERE session = ?', session);
      }
    }
    for (const lease of leases) {
      if (!before.includes(lease)) {
        this.#write(lease);
      }
    }
    if (isFirst) {
      await this.ctx.storage.setAlarm(now + LEASE_MS);
    }
  }

  #write({ session, stream, country, started, until }: Lease): void {
    this.#sql.exec(
      'INSERT OR REPLACE INTO lease (session, stream, country, started, until) VALUES (?, ?, ?, ?, ?)',
      session,
      stream,
      country ?? null,
      started,
      until,
    );
  }

  #createTable(): void {
    this.#sql.exec(
      'CREATE TABLE IF NOT EXISTS lease (session TEXT PRIMARY KEY, stream TEXT NOT NULL, country TEXT, started INTEGER NOT NULL, until INTEGER NOT NULL)',
    );
    this.#stored = true;
  }
}

function lastUntil(leases: readonly Lease[]): number {
  return Math.max(...leases.map(({ until }) => until));
}
