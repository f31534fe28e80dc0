/** Keeps the registry's state and its audit log in the object's SQLite. */

import { z } from 'zod';
import type { AccessSnapshot } from '../../../shared/access/access-snapshot.ts';
import { keySourceId, keySourceSchema } from '../../../shared/access/key-schema.ts';
import { streamPolicySchema } from '../../../shared/access/policy-schema.ts';
import type { Revocation } from '../../../shared/access/revocation.ts';
import { INITIAL_STATE, revocationId } from './registry-change.ts';

/** Entries of the audit log that are kept. */
const MAX_AUDIT_ENTRIES = 10_000;
/** Characters of one entry's detail; what is longer is cut, its length noted. */
const MAX_DETAIL_CHARACTERS = 16_384;

/** One entry of the audit log. */
export interface AuditEntry {
  /** Rises by one with each entry. */
  readonly seq: number;
  /** Unix seconds. */
  readonly at: number;
  /** The version that the change made. */
  readonly version: number;
  /** Who made it: the admin token's viewer, else its id. */
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  /** JSON of what was put, without secrets; cut where it is long. */
  readonly detail: string;
}

/** An entry that is about to be written. */
export type NewAuditEntry = Omit<AuditEntry, 'seq' | 'detail'> & { readonly detail: unknown };

type ItemKind = 'default-policy' | 'stream-policy' | 'key' | 'revocation';
type ItemColumns = { kind: ItemKind; id: string; body: string };
type AuditColumns = { -readonly [K in keyof AuditEntry]: AuditEntry[K] };

const revocationSchema: z.ZodType<Revocation> = z.object({
  kind: z.enum(['token', 'session', 'viewer']),
  id: z.string(),
  issuedUpTo: z.number(),
  until: z.number(),
});

/** The tables; each policy, key and revocation is a row. */
export class RegistryStorage {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`
      CREATE TABLE IF NOT EXISTS version (id INTEGER PRIMARY KEY CHECK (id = 0), version INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS item (
        kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)
      ) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS audit (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, version INTEGER NOT NULL,
        actor TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, detail TEXT NOT NULL
      );
    `);
  }

  /** Reads the state. Throws where a row is unreadable, rather than to leave out what forbids. */
  load(): AccessSnapshot {
    const [row] = this.#sql.exec<{ version: number }>('SELECT version FROM version').toArray();
    if (row === undefined) {
      return INITIAL_STATE;
    }
    const items = this.#sql.exec<ItemColumns>('SELECT kind, id, body FROM item ORDER BY kind, id').toArray();
    const of = <T>(kind: ItemKind, schema: z.ZodType<T>): readonly (readonly [string, T])[] =>
      items.filter((item) => item.kind === kind).map(({ id, body }) => [id, schema.parse(JSON.parse(body))]);
    return {
      version: row.version,
      policies: {
        default: of('default-policy', streamPolicySchema)[0]?.[1] ?? INITIAL_STATE.policies.default,
        streams: Object.fromEntries(of('stream-policy', streamPolicySchema)),
      },
      keys: of('key', keySourceSchema).map(([, key]) => key),
      revocations: of('revocation', revocationSchema).map(([, revocation]) => revocation),
    };
  }

  /** Writes what differs between two states; objects that are the same are not compared. */
  write(before: AccessSnapshot, after: AccessSnapshot): void {
    const old = itemsOf(before);
    const items = itemsOf(after);
    for (const [key, { kind, id }] of old) {
      if (!items.has(key)) {
        this.#sql.exec('DELETE FROM item WHERE kind = ? AND id = ?', kind, id);
      }
    }
    for (const [key, { kind, id, value }] of items) {
      if (old.get(key)?.value !== value || before === INITIAL_STATE) {
        const body = JSON.stringify(value);
        this.#sql.exec('INSERT OR REPLACE INTO item (kind, id, body) VALUES (?, ?, ?)', kind, id, body);
      }
    }
    this.#sql.exec('INSERT OR REPLACE INTO version (id, version) VALUES (0, ?)', after.version);
  }

  /** Adds to the audit log and lets its oldest entries go. */
  audit(entry: NewAuditEntry): void {
    const { at, version, actor, action, target } = entry;
    const detail = JSON.stringify(entry.detail ?? null);
    const kept =
      detail.length > MAX_DETAIL_CHARACTERS
        ? `${detail.slice(0, MAX_DETAIL_CHARACTERS)}… (${detail.length} characters)`
        : detail;
    const values = [at, version, actor, action, target, kept];
    this.#sql.exec(
      'INSERT INTO audit (at, version, actor, action, target, detail) VALUES (?, ?, ?, ?, ?, ?)',
      ...values,
    );
    this.#sql.exec('DELETE FROM audit WHERE seq <= (SELECT MAX(seq) FROM audit) - ?', MAX_AUDIT_ENTRIES);
  }

  /** Reads the newest entries before `before`, newest first. */
  auditPage(before: number, limit: number): readonly AuditEntry[] {
    return this.#sql
      .exec<AuditColumns>('SELECT * FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?', before, limit)
      .toArray();
  }
}

interface Item {
  readonly kind: ItemKind;
  readonly id: string;
  readonly value: unknown;
}

function itemsOf({ policies, keys, revocations }: AccessSnapshot): ReadonlyMap<string, Item> {
  const items: readonly Item[] = [
    { kind: 'default-policy', id: '', value: policies.default },
    ...Object.entries(policies.streams).map(([id, value]) => ({ kind: 'stream-policy', id, value }) as const),
    ...keys.map((value) => ({ kind: 'key', id: keySourceId(value), value }) as const),
    ...revocations.map((value) => ({ kind: 'revocation', id: revocationId(value), value }) as const),
  ];
  return new Map(items.map((item) => [`${item.kind} ${item.id}`, item]));
}
