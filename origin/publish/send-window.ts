/** The updates of an epoch that a hub has not acknowledged yet, numbered and kept to be sent again. */

import type { PublishFrame, PublishUpdate } from '#shared/wire/publish.ts';

/** An update before it is numbered; distributes over the union so that each kind keeps its fields. */
export type UnnumberedUpdate = PublishUpdate extends infer U
  ? U extends PublishUpdate
    ? Omit<U, 'seq'>
    : never
  : never;

/** Header and prefix of a frame in a body, bytes, rounded up: counted so that many small frames are bounded too. */
const FRAME_OVERHEAD_BYTES = 512;

interface Entry {
  readonly frame: PublishFrame;
  readonly bytes: number;
  /** When it was published, milliseconds. */
  readonly at: number;
}

/** How much of what the hub has acknowledged is kept, for a hub that lost its newest updates in a restart. */
export interface AcknowledgedLimits {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** Ordered, numbered updates: `[acknowledged …][waiting …]`. The reader sends from the waiting ones' front. */
export class SendWindow {
  readonly #keep: AcknowledgedLimits;
  #acknowledged: Entry[] = [];
  #waiting: Entry[] = [];
  #acknowledgedBytes = 0;
  #waitingBytes = 0;
  #next = 0;

  constructor(keep: AcknowledgedLimits) {
    this.#keep = keep;
  }

  /** Updates that the hub has not acknowledged. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Bytes that the hub has not acknowledged, headers estimated. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Number that the next update will get. */
  get next(): number {
    return this.#next;
  }

  /** Number of the first update that the hub has not acknowledged. */
  get firstWaiting(): number {
    return this.#next - this.#waiting.length;
  }

  /** Number of the oldest update that could be sent again. */
  get oldest(): number {
    return this.firstWaiting - this.#acknowledged.length;
  }

  /** When the oldest waiting update was published, milliseconds; `undefined` when none waits. */
  get oldestWaitingAt(): number | undefined {
    return this.#waiting[0]?.at;
  }

  /** Numbers an update and keeps it. */
  append(update: UnnumberedUpdate, payload: Uint8Array, now: number): void {
    const bytes = payload.length + FRAME_OVERHEAD_BYTES;
    this.#waiting.push({ frame: { update: numbered(update, this.#next), payload }, bytes, at: now });
    this.#waitingBytes += bytes;
    this.#next += 1;
  }

  /** The oldest waiting updates that fit into `maxBytes`, at least one when any waits. */
  batch(maxBytes: number): readonly PublishFrame[] {
    const frames: PublishFrame[] = [];
    let bytes = 0;
    for (const entry of this.#waiting) {
      bytes += entry.bytes;
      if (frames.length > 0 && bytes > maxBytes) {
        break;
      }
      frames.push(entry.frame);
    }
    return frames;
  }

  /** Waiting updates before number `next`, oldest first. */
  waitingBefore(next: number): readonly PublishUpdate[] {
    return this.#waiting.slice(0, Math.max(0, next - this.firstWaiting)).map(({ frame }) => frame.update);
  }

  /**
   * Goes on from update `next`, forwards (the hub has all before it) or back (it has lost what it had). False,
   * and nothing changed, when that update is no longer kept or was never made.
   */
  seek(next: number, now: number): boolean {
    if (next < this.oldest || next > this.#next) {
      return false;
    }
    const step = next - this.firstWaiting;
    if (step >= 0) {
      this.#acknowledged.push(...this.#waiting.splice(0, step));
    } else {
      this.#waiting.unshift(...this.#acknowledged.splice(step));
    }
    this.#forget(now);
    return true;
  }

  /** Forgets everything but the count. */
  clear(): void {
    this.#acknowledged = [];
    this.#waiting = [];
    this.#acknowledgedBytes = 0;
    this.#waitingBytes = 0;
  }

  #forget(now: number): void {
    this.#acknowledgedBytes = totalBytes(this.#acknowledged);
    this.#waitingBytes = totalBytes(this.#waiting);
    let drop = 0;
    for (const entry of this.#acknowledged) {
      const old = now - entry.at > this.#keep.maxAgeMs;
      if (!old && this.#acknowledgedBytes <= this.#keep.maxBytes) {
        break;
      }
      this.#acknowledgedBytes -= entry.bytes;
      drop += 1;
    }
    this.#acknowledged.splice(0, drop);
  }
}

function totalBytes(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + entry.bytes, 0);
}

function numbered(update: UnnumberedUpdate, seq: number): PublishUpdate {
  switch (update.kind) {
    case 'begin':
      if (seq !== 0) {
        throw new TypeError(`"begin" is update 0 of an epoch, not update ${seq}`);
      }
      return { ...update, seq: 0 };
    case 'init':
      return { ...update, seq };
    case 'part':
      return { ...update, seq };
    case 'segment':
      return { ...update, seq };
    case 'gap':
      return { ...update, seq };
    case 'end':
      return { ...update, seq };
  }
}
