/**
 * An isolate's view of the registry. A request normally finds the snapshot in memory; it is compared with the
 * registry's version in the background, every two seconds while there are requests.
 *
 * Promises are never shared between requests: one that a request makes is cancelled with it.
 */

import { z } from 'zod';
import type { AccessSnapshot } from '../../../shared/access/access-snapshot.ts';
import { fail, ok, type Result } from '../../../shared/result.ts';
import { describeError, logEvent } from '../../log.ts';

/** Age from which a snapshot is compared with the registry, in the background; also the pause between attempts. */
const REFRESH_AFTER_MS = 2_000;
/**
 * Age from which a request waits for the comparison, so that an isolate that had no requests for a while does not
 * answer by what it knew then. With the three seconds of the cache before it, what is used is at most eight old.
 */
const WAIT_AFTER_MS = 5_000;
/** Longest wait for one answer of the registry. */
const ANSWER_LIMIT_MS = 1_500;
/**
 * How long the last known snapshot is used while the registry is away, then playback is refused: by then a
 * revocation or a blackout may have been missed for longer than a rights holder can be asked to accept.
 */
const USE_UP_TO_MS = 60 * 60_000;

/** Nothing is known, or what is known is too old to judge by. */
export type AccessUnavailable = { readonly reason: 'access-unavailable'; readonly detail: string };

/** Asks the registry through its cached entrypoint, by path. */
export type AskAccess = (path: string, signal: AbortSignal) => Promise<Response>;

/** What a source needs of the request it works for. */
export interface SnapshotContext {
  readonly ask: AskAccess;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Lets work go on after the request's answer. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

const versionSchema = z.object({ version: z.int().min(0) });
/** The registry has checked what is inside. */
const snapshotSchema = z.custom<AccessSnapshot>(
  (value) =>
    z
      .object({
        version: z.int().min(0),
        policies: z.object({ default: z.looseObject({}), streams: z.looseObject({}) }),
        keys: z.array(z.unknown()),
        revocations: z.array(z.unknown()),
      })
      .safeParse(value).success,
);

/** Keeps the snapshot; one lives as long as its isolate. */
export class SnapshotSource {
  #snapshot: AccessSnapshot | undefined;
  /** When the comparison began by which the snapshot was last found current. */
  #checkedAt = Number.NEGATIVE_INFINITY;
  #attemptedAt = Number.NEGATIVE_INFINITY;
  #isFailing = false;

  /** The snapshot to judge by; the same object until the registry has another version. */
  async current(context: SnapshotContext): Promise<Result<AccessSnapshot, AccessUnavailable>> {
    const now = context.now();
    const age = now - this.#checkedAt;
    if (this.#snapshot !== undefined && age < REFRESH_AFTER_MS) {
      return ok(this.#snapshot);
    }
    const mayAttempt = now - this.#attemptedAt >= REFRESH_AFTER_MS;
    if (age >= WAIT_AFTER_MS && (mayAttempt || !this.#isFailing)) {
      await this.#refresh(context);
    } else if (mayAttempt) {
      context.waitUntil(this.#refresh(context));
    }
    return this.#usable(context.now());
  }

  #usable(now: number): Result<AccessSnapshot, AccessUnavailable> {
    if (this.#snapshot === undefined) {
      return fail({ reason: 'access-unavailable', detail: 'the access registry has not been read yet' });
    }
    return now - this.#checkedAt <= USE_UP_TO_MS
      ? ok(this.#snapshot)
      : fail({
          reason: 'access-unavailable',
          detail: `the access registry has been away for ${Math.round((now - this.#checkedAt) / 60_000)} min`,
        });
  }

  async #refresh(context: SnapshotContext): Promise<void> {
    const began = context.now();
    this.#attemptedAt = began;
    try {
      const { version } = versionSchema.parse(await readJson(context.ask, '/version'));
      if (this.#snapshot === undefined || version > this.#snapshot.version) {
        this.#take(snapshotSchema.parse(await readJson(context.ask, `/snapshot/${version}`)));
      }
      this.#checkedAt = Math.max(this.#checkedAt, began);
      this.#note(undefined);
    } catch (error) {
      this.#note(error);
    }
  }

  /** Caches on the way may give answers out of order; a version only ever rises. */
  #take(snapshot: AccessSnapshot): void {
    if (this.#snapshot === undefined || snapshot.version > this.#snapshot.version) {
      this.#snapshot = snapshot;
    }
  }

  /** One log line when the registry goes away, one when it is back. */
  #note(error: unknown): void {
    const isFailing = error !== undefined;
    if (isFailing && !this.#isFailing) {
      const known = this.#snapshot?.version;
      logEvent('error', 'access-registry-away', { cause: describeError(error), version: known });
    } else if (!isFailing && this.#isFailing) {
      logEvent('info', 'access-registry-back', { version: this.#snapshot?.version });
    }
    this.#isFailing = isFailing;
  }
}

async function readJson(ask: AskAccess, path: string): Promise<unknown> {
  const answer = await ask(path, AbortSignal.timeout(ANSWER_LIMIT_MS));
  if (!answer.ok) {
    await answer.body?.cancel();
    throw new Error(`the registry answered ${answer.status} to ${path}`);
  }
  return answer.json();
}
