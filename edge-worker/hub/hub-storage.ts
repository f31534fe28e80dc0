/** Keeps the live window in the object's SQLite: metadata and init segments, never media. */

import type { LiveWindow } from './live-window.ts';
import { restoreWindow, type InitRow, type SegmentRow, type WindowChanges } from './stored-window.ts';

type EpochColumns = { body: string };
type InitColumns = { rendition: string; epoch: number; next_seq: number; bytes: ArrayBuffer };
type SegmentColumns = { rendition: string; msn: number; epoch: number; next_seq: number; body: string };

/** What an object finds when it starts. */
export interface StoredHub {
  readonly window: LiveWindow;
  readonly inits: readonly InitRow[];
}

/** The tables of one stream; they are made with the first write, so that a mere question leaves no trace. */
export class HubStorage {
  readonly #sql: SqlStorage;
  #ready: boolean;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#ready = sql.exec("SELECT name FROM sqlite_master WHERE name = 'epoch'").toArray().length > 0;
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
    return { window: restoreWindow({ epochRow: epoch.body, segments, inits }), inits };
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
    for (const [rendition, msn] of changes.keepFrom) {
      this.#sql.exec('DELETE FROM segment WHERE rendition = ? AND msn < ?', rendition, msn);
      this.#sql.exec(
        'DELETE FROM init WHERE rendition = ? AND epoch < ?',
        rendition,
        oldestInit.get(rendition) ?? 0,
      );
    }
    for (const rendition of changes.dropped) {
      this.#sql.exec('DELETE FROM segment WHERE rendition = ?', rendition);
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
