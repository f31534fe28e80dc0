/** The registry: one Durable Object for all streams, the only place where policies, keys and revocations change. */

import { DurableObject } from 'cloudflare:workers';
import type { AccessSnapshot } from '../../../shared/access/access-snapshot.ts';
import type { Grant } from '../../../shared/access/grant.ts';
import { findRevocation } from '../revocation-check.ts';
import {
  applyChange,
  describeChange,
  withoutExpired,
  type ChangeFailure,
  type RegistryChange,
} from './registry-change.ts';
import { RegistryStorage, type AuditEntry } from './registry-storage.ts';

/** The one registry's name. */
export const REGISTRY_NAME = 'registry';

/** Who asks: what of an admin token may have been revoked. */
export type Bearer = Pick<Grant, 'tokenId' | 'session' | 'viewer' | 'issuedAt'>;

/** What came of a change. */
export type ChangeOutcome =
  | { readonly kind: 'changed'; readonly version: number }
  /** Somebody else was faster: the caller expected another version. */
  | { readonly kind: 'conflict'; readonly version: number }
  | { readonly kind: 'refused'; readonly failure: ChangeFailure }
  /** The token that asked is itself revoked. */
  | { readonly kind: 'revoked' };

/** What a caller reads; `revoked` where the token that asked is itself revoked. */
export type Reading<T> = { readonly kind: 'read'; readonly value: T } | { readonly kind: 'revoked' };

/** What the edge asks of the registry. */
export interface Registry {
  /** The version of what is in force. */
  version(): Promise<number>;
  /** What is in force, in JSON. */
  snapshot(): Promise<{ readonly version: number; readonly json: string }>;
  read(by: Bearer): Promise<Reading<AccessSnapshot>>;
  /** Makes a change, unless `expected` is given and is not the version in force. */
  change(change: RegistryChange, by: Bearer, expected: number | undefined): Promise<ChangeOutcome>;
  auditLog(
    by: Bearer,
    page: { readonly before: number; readonly limit: number },
  ): Promise<Reading<readonly AuditEntry[]>>;
}

/** How a registry is reached. */
export interface Registries {
  getByName(name: string): Registry;
}

const MS_PER_SECOND = 1000;

/** Holds the state in memory and SQLite; a change is answered when it is durable. */
export class AccessRegistry extends DurableObject implements Registry {
  readonly #storage: RegistryStorage;
  #state: AccessSnapshot;
  #json: string | undefined;

  constructor(state: DurableObjectState, env: object) {
    super(state, env);
    this.#storage = new RegistryStorage(state.storage.sql);
    this.#state = this.#storage.load();
  }

  async version(): Promise<number> {
    return this.#state.version;
  }

  async snapshot(): Promise<{ readonly version: number; readonly json: string }> {
    this.#json ??= JSON.stringify(this.#state);
    return { version: this.#state.version, json: this.#json };
  }

  async read(by: Bearer): Promise<Reading<AccessSnapshot>> {
    return this.#isRevoked(by) ? { kind: 'revoked' } : { kind: 'read', value: this.#state };
  }

  async change(change: RegistryChange, by: Bearer, expected: number | undefined): Promise<ChangeOutcome> {
    if (this.#isRevoked(by)) {
      return { kind: 'revoked' };
    }
    if (expected !== undefined && expected !== this.#state.version) {
      return { kind: 'conflict', version: this.#state.version };
    }
    const now = unixSeconds();
    const next = applyChange(this.#state, change, now);
    if (!next.ok) {
      return { kind: 'refused', failure: next.failure };
    }
    // One transaction: there is no await between the statements.
    this.#storage.write(this.#state, next.value);
    this.#storage.audit({
      at: now,
      version: next.value.version,
      actor: by.viewer ?? by.tokenId ?? 'unnamed',
      action: change.kind,
      ...describeChange(change),
    });
    this.#take(next.value);
    await this.#setAlarm();
    return { kind: 'changed', version: next.value.version };
  }

  async auditLog(
    by: Bearer,
    page: { readonly before: number; readonly limit: number },
  ): Promise<Reading<readonly AuditEntry[]>> {
    return this.#isRevoked(by)
      ? { kind: 'revoked' }
      : { kind: 'read', value: this.#storage.auditPage(page.before, page.limit) };
  }

  /** Forgets revocations whose time is over; nothing that is in force changes, so the version stays. */
  override async alarm(): Promise<void> {
    const next = withoutExpired(this.#state, unixSeconds());
    if (next !== this.#state) {
      this.#storage.write(this.#state, next);
      this.#take(next);
    }
    await this.#setAlarm();
  }

  #take(state: AccessSnapshot): void {
    this.#state = state;
    this.#json = undefined;
  }

  async #setAlarm(): Promise<void> {
    const ends = this.#state.revocations.map(({ until }) => until);
    if (ends.length > 0) {
      const first = ends.reduce((a, b) => Math.min(a, b));
      await this.ctx.storage.setAlarm(first * MS_PER_SECOND);
    }
  }

  #isRevoked(by: Bearer): boolean {
    return findRevocation(by, this.#state.revocations, unixSeconds()) !== undefined;
  }
}

function unixSeconds(): number {
  return Math.floor(Date.now() / MS_PER_SECOND);
}
