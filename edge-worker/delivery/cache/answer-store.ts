/**
 * Answers in memory under their keys, bounded in number and bytes; those asked for longest ago make room. What nobody
 * asks for any more goes soon, so that memory follows what is watched instead of filling up to its bound.
 */

/** A whole answer, independent of the request that fetched it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A blob, since the runtime would copy an array for each answer. */
  readonly body: Blob;
  /** The same compressed, where viewers may get it so. */
  readonly gzip?: Blob | undefined;
}

/** An answer that is still fresh. */
export interface FreshAnswer {
  readonly answer: Answer;
  /** Whole seconds since it was stored, RFC 9111 §5.1. */
  readonly age: number;
}

/** What the store may grow to. */
export interface StoreBounds {
  readonly maxEntries: number;
  /** Bytes of all answers, their headers and keys. */
  readonly maxBytes: number;
  /** Bytes of one answer, so that a huge one does not push out everything else. */
  readonly maxAnswerBytes: number;
  /** Seconds after which an answer goes that nobody asked for. */
  readonly maxIdleSeconds: number;
}

interface Entry {
  readonly answer: Answer;
  readonly bytes: number;
  /** Milliseconds, as `now`. */
  readonly storedAt: number;
  readonly freshUntil: number;
  askedAt: number;
}

/** What an entry costs beside its texts and body, bytes: objects, map slot, header strings. */
const ENTRY_OVERHEAD = 1_024;
/** How often what is over or idle is swept out, milliseconds: seldom enough to cost nothing beside what is kept. */
const SWEEP_EVERY_MS = 2_000;

/** Keeps answers for as long as they are fresh and there is room; `now` is milliseconds. */
export class AnswerStore {
  readonly bounds: StoreBounds;
  /** In the order in which they were last asked for. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #sweptAt = 0;

  constructor(bounds: StoreBounds) {
    this.bounds = bounds;
  }

  /** Bytes that are in use. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many answers are kept. */
  get size(): number {
    return this.#entries.size;
  }

  /** Finds a fresh answer and notes that it was asked for. */
  find(key: string, now: number): FreshAnswer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      return undefined;
    }
    this.#entries.delete(key);
    if (now >= entry.freshUntil) {
      this.#bytes -= entry.bytes;
      return undefined;
    }
    entry.askedAt = now;
    this.#entries.set(key, entry);
    return { answer: entry.answer, age: Math.max(0, Math.floor((now - entry.storedAt) / 1000)) };
  }

  /** Keeps an answer for a time in seconds; tells whether it did. */
  keep(key: string, answer: Answer, validity: { readonly now: number; readonly seconds: number }): boolean {
    this.#drop(key);
    if (validity.seconds <= 0 || answer.body.size > this.bounds.maxAnswerBytes) {
      return false;
    }
    const { now } = validity;
    this.#sweep(now);
    const bytes = answer.body.size + (answer.gzip?.size ?? 0) + key.length + ENTRY_OVERHEAD;
    const freshUntil = now + validity.seconds * 1000;
    this.#entries.set(key, { answer, bytes, storedAt: now, freshUntil, askedAt: now });
    this.#bytes += bytes;
    this.#makeRoom();
    return this.#entries.has(key);
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < SWEEP_EVERY_MS) {
      return;
    }
    this.#sweptAt = now;
    const idleSince = now - this.bounds.maxIdleSeconds * 1000;
    for (const [key, { freshUntil, askedAt }] of this.#entries) {
      if (now >= freshUntil || askedAt <= idleSince) {
        this.#drop(key);
      }
    }
  }

  #makeRoom(): void {
    for (const key of this.#entries.keys()) {
      if (this.#bytes <= this.bounds.maxBytes && this.#entries.size <= this.bounds.maxEntries) {
        return;
      }
      this.#drop(key);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}
