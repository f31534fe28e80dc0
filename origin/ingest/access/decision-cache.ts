/** Decisions that are kept for a while under a hash of what was shown. */

import { createHash } from 'node:crypto';
import type { PublishClaim } from './publish-decision.ts';

/** What a claim is known by here: nobody reads a credential out of it. */
export function claimId({ stream, protocol, credential, address = '' }: PublishClaim): string {
  return createHash('sha256')
    .update(JSON.stringify([stream, protocol, address, credential]))
    .digest('base64url');
}

/** Keeps so many values at most; the one that came first goes first. */
export class DecisionCache<T> {
  readonly #limit: number;
  readonly #kept = new Map<string, { readonly value: T; readonly until: number }>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The value under an id while it holds; `now` and times are of one clock. */
  find(id: string, now: number): T | undefined {
    const entry = this.#kept.get(id);
    if (entry !== undefined && now >= entry.until) {
      this.#kept.delete(id);
      return undefined;
    }
    return entry?.value;
  }

  /** Keeps a value until a time. */
  keep(id: string, value: T, until: number): void {
    this.#kept.delete(id);
    if (this.#kept.size >= this.#limit) {
      const oldest = this.#kept.keys().next();
      this.#kept.delete(oldest.value ?? '');
    }
    this.#kept.set(id, { value, until });
  }
}
