/** Keeps the live window in the object's SQLite: metadata and init segments, never media. */

import type { LiveWindow } from './live-window.ts';
import { decodeChunk, type SegmentChunk } from './segment-list.ts';
import { restoreWindow, type InitRow, type SegmentRow, type WindowChanges } from './stored-window.ts';

/** How exactly the time of the last update is kept, milliseconds: a write a minute costs nothing. */
const HEARD_RESOLUTION_MS = 60_000;

type EpochColumns = { body: string };
type InitColumns = { rendition: string; epoch: number; next_seq: number; bytes: ArrayBuffer };
type ChunkColumns = { rendition: string; msn: number; body: ArrayBuffer };
type HeardColumns = { at: number };
type LeaseColumns = { body: string };
type SegmentColumns = { rendition: string; msn: number; epoch: number; next_seq: number; body: string };

/** What an object finds when it starts. */
export interface StoredHub {
  readonly window: LiveWindow;
  readonly inits: readonly InitRow[];
}

/** The tables of one stream; they are made with the first write, so that a mere question leaves no trace. */
export class HubStorage {
  readonly #sql: SqlStorage;
  #ready = false;
  #heardAt = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    if (sql.exec("SELECT name FROM sqlite_master WHERE name = 'epoch'").toArray().length > 0) {
      this.#createTables();
      this.#heardAt = sql.exec<HeardColumns>('SELECT at FROM heard').toArray()[0]?.at ?? 0;
    }
  }

  /** When the origin was last heard, Unix milliseconds; exact to a minute. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Reads what was stored, or `undefined` for a stream that was never published. */
  load(): StoredHub | undefined {
    if (!this.#ready) {
      return undefined;
    }
    const [epoch] = this.#sql.exec<EpochColumns>('SELECT body FROM epoch').toArray();
    if (epoch === undefined) {
      return undefined;
    }
    const inits = this.#sql
      .exec<InitColumns>('SELECT rendition, epoch, next_seq, bytes FROM init')
      .toArray()
      .map(initRow);
    const segments = this.#sql
      .exec<SegmentColumns>(
        'SELECT rendition, msn, epoch, next_seq, body FROM segment ORDER BY rendition, msn',
      )
      .toArray()
      .map(segmentRow);
    const chunks = this.#loadChunks();
    return { window: restoreWindow({ epochRow: epoch.body, segments, chunks, inits }), inits };
  }

  #loadChunks(): ReadonlyMap<string, readonly SegmentChunk[]> {
    const chunks = new Map<string, SegmentChunk[]>();
    const rows = this.#sql.exec<ChunkColumns>(
      'SELECT rendition, msn, body FROM chunk ORDER BY rendition, msn',
    );
    for (const { rendition, msn, body } of rows) {
      const chunk = decodeChunk(msn, body);
      if (chunk === undefined) {
        throw new TypeError(
          `stored chunk ${rendition}/${msn} is unreadable; delete the object to start anew`,
        );
      }
      const list = chunks.get(rendition) ?? [];
      chunks.set(rendition, list);
      list.push(chunk);
    }
    return chunks;
  }

  /** The lease as written by {@link writeLease}, or `undefined`. */
  loadLease(): string | undefined {
    return this.#ready
      ? this.#sql.exec<LeaseColumns>('SELECT body FROM lease').toArray()[0]?.body
      : undefined;
  }

  /** Keeps the lease. */
  writeLease(body: string): void {
    this.#createTables();
    this.#sql.exec('INSERT OR REPLACE INTO lease VALUES (0, ?)', body);
  }

  /** Notes that the origin was heard. */
  noteHeard(now: number): void {
    if (now - this.#heardAt >= HEARD_RESOLUTION_MS) {
      this.#createTables();
      this.#sql.exec('INSERT OR REPLACE INTO heard VALUES (0, ?)', now);
      this.#heardAt = now;
    }
  }

  /** Writes what changed; statements without an await between them are one transaction. */
  write(changes: WindowChanges, inits: readonly InitRow[], oldestInit: ReadonlyMap<string, number>): void {
    this.#createTables();
    for (const init of inits) {
      const { rendition, epoch, nextSeq, bytes } = init;
      this.#sql.exec('INSERT OR REPLACE INTO init VALUES (?, ?, ?, ?)', rendition, epoch, nextSeq, bytes);
    }
    for (const { rendition, msn, epoch, nextSeq, body } of changes.segments) {
      this.#sql.exec(
        'INSERT OR REPLACE INTO segment VALUES (?, ?, ?, ?, ?)',
        rendition,
        msn,
        epoch,
        nextSeq,
        body,
      );
    }
    for (const { rendition, msn, body } of changes.chunks) {
      this.#sql.exec('INSERT OR REPLACE INTO chunk VALUES (?, ?, ?)', rendition, msn, body);
    }
    for (const [rendition, { segments, chunks }] of changes.keepFrom) {
      this.#sql.exec('DELETE FROM segment WHERE rendition = ? AND msn < ?', rendition, segments);
      this.#sql.exec('DELETE FROM chunk WHERE rendition = ? AND msn < ?', rendition, chunks);
      this.#sql.exec(
        'DELETE FROM init WHERE rendition = ? AND epoch < ?',
        rendition,
        oldestInit.get(rendition) ?? 0,
      );
    }
    for (const rendition of changes.dropped) {
      this.#sql.exec('DELETE FROM segment WHERE rendition = ?', rendition);
      this.#sql.exec('DELETE FROM chunk WHERE rendition = ?', rendition);
      this.#sql.exec('DELETE FROM init WHERE rendition = ?', rendition);
    }
    if (changes.epochRow !== undefined) {
      this.#sql.exec('INSERT OR REPLACE INTO epoch VALUES (0, ?)', changes.epochRow);
    }
  }

  #createTables(): void {
    if (this.#ready) {
      return;
    }
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS epoch (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS init (
        rendition TEXT NOT NULL, epoch INTEGER NOT NULL, next_seq INTEGER NOT NULL, bytes BLOB NOT NULL,
        PRIMARY KEY (rendition, epoch)
      ) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS segment (
        rendition TEXT NOT NULL, msn INTEGER NOT NULL, epoch INTEGER NOT NULL, next_seq INTEGER NOT NULL,
        body TEXT NOT NULL, PRIMARY KEY (rendition, msn)
      ) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS chunk (
        rendition TEXT NOT NULL, msn INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (rendition, msn)
      );
      CREATE TABLE IF NOT EXISTS heard (id INTEGER PRIMARY KEY, at INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS lease (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
    `);
    this.#ready = true;
  }
}

function initRow({ rendition, epoch, next_seq: nextSeq, bytes }: InitColumns): InitRow {
  return { rendition, epoch, nextSeq, bytes: new Uint8Array(bytes) };
}

function segmentRow({ next_seq: nextSeq, ...row }: SegmentColumns): SegmentRow {
  return { ...row, nextSeq };
}
