/** Batches of rows that the engine does not have yet, in the writer's storage, and the counts of what became of rows. */

/** Bytes in one insert. */
const MAX_INSERT_BYTES = 4 * 1024 * 1024;
/** Batches in one insert. */
const MAX_INSERT_BATCHES = 64;

/** What is counted, in rows. */
export type Counter = 'written' | 'dropped' | 'replayed';

/** Batches that are sent as one. */
export interface Insertion {
  readonly rows: number;
  readonly bytes: number;
  /** Lines of JSONEachRow. */
  readonly body: string;
  /** The same for each try, so that an engine which has taken it takes it once. */
  readonly token: string;
}

interface Attempt {
  readonly last: number;
  readonly token: string;
}

/** Batches in their order. */
export class HeldBatches {
  readonly #sql: SqlStorage;
  readonly #newToken: () => string;
  #rows = 0;
  #bytes = 0;

  /** `newToken` gives a text that is never given again. */
  constructor(sql: SqlStorage, newToken: () => string) {
    this.#sql = sql;
    this.#newToken = newToken;
    sql.exec(
      'CREATE TABLE IF NOT EXISTS batch (id INTEGER PRIMARY KEY, rows INTEGER, bytes INTEGER, body TEXT)',
    );
    sql.exec('CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER)');
    sql.exec('CREATE TABLE IF NOT EXISTS attempt (last INTEGER PRIMARY KEY, token TEXT)');
    const held = sql
      .exec<{
        rows: number;
        bytes: number;
      }>('SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(bytes), 0) AS bytes FROM batch')
      .one();
    this.#rows = held.rows;
    this.#bytes = held.bytes;
  }

  /** Rows held. */
  get rows(): number {
    return this.#rows;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Holds lines of rows. */
  add(lines: readonly string[]): void {
    const body = lines.join('\n');
    this.#sql.exec('INSERT INTO batch (rows, bytes, body) VALUES (?, ?, ?)', lines.length, body.length, body);
    this.#rows += lines.length;
    this.#bytes += body.length;
  }

  /** The oldest batches; the same ones as long as they are not finished, whatever has come meanwhile. */
  next(): Insertion | undefined {
    const tried = this.#sql
      .exec<{ last: number; token: string }>('SELECT last, token FROM attempt')
      .toArray();
    const attempt = tried[0] ?? this.#begin();
    if (attempt === undefined) {
      return undefined;
    }
    const batches = this.#sql
      .exec<{
        rows: number;
        bytes: number;
        body: string;
      }>('SELECT rows, bytes, body FROM batch WHERE id <= ? ORDER BY id', attempt.last)
      .toArray();
    return {
      rows: batches.reduce((sum, { rows }) => sum + rows, 0),
      bytes: batches.reduce((sum, { bytes }) => sum + bytes, 0),
      body: batches.map(({ body }) => body).join('\n'),
      token: attempt.token,
    };
  }

  /** Lets go of what {@link next} gave. */
  finish(insertion: Insertion, as: Counter): void {
    this.#sql.exec('DELETE FROM batch WHERE id <= (SELECT last FROM attempt)');
    this.#sql.exec('DELETE FROM attempt');
    this.#rows -= insertion.rows;
    this.#bytes -= insertion.bytes;
    this.count(as, insertion.rows);
  }

  /** Counts rows. */
  count(name: Counter, rows: number): void {
    if (rows > 0) {
      this.#sql.exec(
        'INSERT INTO counter (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value',
        name,
        rows,
      );
    }
  }

  /** Rows counted since the writer was made. */
  counted(name: Counter): number {
    const [row] = this.#sql
      .exec<{ value: number }>('SELECT value FROM counter WHERE name = ?', name)
      .toArray();
    return row?.value ?? 0;
  }

  #begin(): Attempt | undefined {
    const oldest = this.#sql
      .exec<{
        id: number;
        bytes: number;
      }>('SELECT id, bytes FROM batch ORDER BY id LIMIT ?', MAX_INSERT_BATCHES)
      .toArray();
    let last: number | undefined;
    let bytes = 0;
    for (const batch of oldest) {
      bytes += batch.bytes;
      if (last !== undefined && bytes > MAX_INSERT_BYTES) {
        break;
      }
      last = batch.id;
    }
    if (last === undefined) {
      return undefined;
    }
    const attempt = { last, token: this.#newToken() };
    this.#sql.exec('INSERT INTO attempt (last, token) VALUES (?, ?)', attempt.last, attempt.token);
    return attempt;
  }
}
