/** Sends a session's events to the edge, again and again where it has to, and out of a page that is being left. */

import type { Beacon, BeaconEvent } from '../../../shared/qos/beacon.ts';
import { BeaconQueue, readOutcome } from '../../../shared/qos/player/beacon-queue.ts';

/** Events that come within this time travel together, milliseconds: a report shows them within seconds. */
const GATHER_MS = 500;
/** Longest wait for an answer, milliseconds. */
const ANSWER_LIMIT_MS = 15_000;
/** Without preflight: a simple request's content type (Fetch §2.2.2). */
const CONTENT_TYPE = 'text/plain;charset=UTF-8';

/** What each beacon of a session says besides its events. */
export type BeaconHead = Pick<Beacon, 'session' | 'stream' | 'player' | 'playerVersion'>;

/** Sends the beacons of one session. */
export class BeaconSender {
  readonly #url: string;
  readonly #head: BeaconHead;
  readonly #queue = new BeaconQueue();
  readonly #onOnline = (): void => this.#retryNow();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #stopped = false;
  /** Until when the edge asked to be left alone, by `performance.now()`. */
  #askedUntil = 0;
  #underWay = false;
  #closed = false;

  constructor(url: string, head: BeaconHead) {
    this.#url = url;
    this.#head = head;
    addEventListener('online', this.#onOnline);
  }

  /** Takes events, oldest first; `at` in Unix milliseconds. */
  add(events: readonly BeaconEvent[]): void {
    if (this.#stopped) {
      return;
    }
    for (const event of events) {
      this.#queue.add(event);
    }
    if (events.length > 0) {
      this.#schedule(GATHER_MS);
    }
  }

  /**
   * Hands everything that waits to the browser, which sends it even when the page is gone; what is under way goes
   * again, and the edge counts it once.
   */
  handOver(): void {
    while (!this.#stopped && this.#queue.size > 0 && performance.now() >= this.#askedUntil) {
      const batch = this.#queue.batch();
      const body = new Blob([this.#body(batch)], { type: CONTENT_TYPE });
      if (!navigator.sendBeacon(this.#url, body)) {
        return;
      }
      this.#queue.remove(batch);
    }
  }

  /** Ends the session's sending: what waits is handed over, what the browser does not take is tried on. */
  close(): void {
    this.handOver();
    this.#closed = true;
    this.#finish();
  }

  #schedule(afterMs: number): void {
    if (!this.#underWay) {
      this.#timer ??= setTimeout(() => void this.#send(), afterMs);
    }
  }

  #retryNow(): void {
    if (this.#queue.size > 0 && performance.now() >= this.#askedUntil) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#schedule(0);
    }
  }

  async #send(): Promise<void> {
    this.#timer = undefined;
    const batch = this.#queue.batch();
    if (batch.length === 0) {
      return;
    }
    this.#underWay = true;
    const answer = await this.#post(batch);
    this.#underWay = false;
    const outcome = readOutcome({ ...answer, failures: this.#failures, random: Math.random() });
    switch (outcome.kind) {
      case 'done':
        this.#failures = 0;
        this.#queue.remove(batch);
        break;
      case 'stop':
        this.#stopped = true;
        this.#queue.clear();
        break;
      case 'retry':
        this.#failures += 1;
        this.#askedUntil = outcome.asked ? performance.now() + outcome.afterMs : 0;
    }
    if (this.#queue.size > 0) {
      this.#schedule(outcome.kind === 'retry' ? outcome.afterMs : 0);
    }
    this.#finish();
  }

  async #post(batch: readonly BeaconEvent[]): Promise<{
    readonly status: number | undefined;
    readonly retryAfterSeconds: number;
  }> {
    try {
      const answer = await fetch(this.#url, {
        method: 'POST',
        body: this.#body(batch),
        headers: { 'content-type': CONTENT_TYPE },
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      });
      return {
        status: answer.status,
        retryAfterSeconds: Number(answer.headers.get('retry-after') ?? 0),
      };
    } catch {
      return { status: undefined, retryAfterSeconds: 0 };
    }
  }

  #body(events: readonly BeaconEvent[]): string {
    const beacon: Beacon = { v: 1, ...this.#head, sentAt: Date.now(), events: [...events] };
    return JSON.stringify(beacon);
  }

  #finish(): void {
    if (this.#closed && (this.#stopped || this.#queue.size === 0)) {
      removeEventListener('online', this.#onOnline);
    }
  }
}
