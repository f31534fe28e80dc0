/** An origin's side of the lease: asks for it, keeps it while the stream is here, gives it back. */

import { ok, type Result } from '#shared/result.ts';
import { leaseAnswerSchema, type LeaseAnswer, type LeaseRequest } from '#shared/wire/lease.ts';
import type { Log } from '../log.ts';
import { pause } from '../backoff.ts';
import { readJson } from '../publish/hub-answer.ts';
import { askRepeatedly, type HubPositionFailure, type HubQuestion } from '../publish/hub-position.ts';

/** How often an origin that stands by asks, milliseconds; the hub forgets it after four times that. */
const STAND_BY_MS = 500;
/** Renewals in the time of one lease, so that two may be lost. */
const RENEWALS_PER_LEASE = 3;
/** How a lease is given back: an origin that stops cannot wait, and it also runs out by itself. */
const RELEASE = { tries: 2, timeoutMs: 1_000 };
/** A question that is put again anyway. */
const ONCE = { tries: 1 };

/** Where a run goes on. */
export type LeasePosition = Extract<LeaseAnswer, { status: 'granted' }>;
/** `assumed`: the hub could not be asked; it refuses what another origin's lease forbids. */
export type LeasePhase = 'none' | 'stand-by' | 'held' | 'assumed';

/** What a keeper works with. */
export interface LeaseKeeperOptions {
  readonly question: HubQuestion;
  readonly origin: string;
  readonly leaseMs: number;
  /** How many updates the hub has taken: as long as it grows, publishing renews the lease. */
  readonly progress: () => number;
  /** Another origin has taken the stream over. */
  readonly onLost: () => void;
  readonly log: Log;
}

/** Keeps one stream's lease. */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  #phase: LeasePhase = 'none';
  #asking = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #progress = 0;
  /** A lease that is given back is not asked for again before. */
  #releasing: Promise<unknown> = Promise.resolve();

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** What is known of the lease. */
  get phase(): LeasePhase {
    return this.#phase;
  }

  /** Waits until this origin may publish (true), or until {@link letGo} or {@link release} (false). */
  async take(): Promise<boolean> {
    const { signal } = this.#asking;
    await this.#releasing;
    while (!signal.aborted) {
      const asked = await this.#ask({ action: 'acquire', ...this.#name() }, ONCE);
      if (signal.aborted) {
        break;
      }
      if (asked.ok && asked.value.status === 'granted') {
        this.#hold('held');
        return true;
      }
      // Who has not been told that another publishes goes on: the hub keeps out whom it has to.
      if (!asked.ok && this.#phase !== 'stand-by') {
        this.#hold('assumed');
        return true;
      }
      this.#standBy();
      const left = asked.ok && asked.value.status === 'held' ? asked.value.expiresInMs : STAND_BY_MS;
      await pause(Math.min(left + 1, STAND_BY_MS), signal);
    }
    return false;
  }

  /** Where the next run goes on; `undefined` when another origin publishes, a failure when the hub is away. */
  async position(): Promise<Result<LeasePosition | undefined, HubPositionFailure>> {
    const asked = await this.#ask({ action: 'acquire', ...this.#name() });
    if (!asked.ok) {
      return asked;
    }
    if (asked.value.status !== 'granted') {
      this.lose();
      return ok(undefined);
    }
    if (this.#phase === 'assumed') {
      this.#phase = 'held';
    }
    return ok(asked.value);
  }

  /** Gives the lease back, or stands by no more; true when nobody else goes on with the stream. */
  async release(goodbye: boolean): Promise<boolean> {
    this.letGo();
    const { origin } = this.#options;
    const asking = this.#ask({ action: 'release', origin, goodbye }, RELEASE);
    this.#releasing = asking;
    const asked = await asking;
    return !asked.ok || asked.value.status !== 'released' || asked.value.mayEnd;
  }

  /** Stops asking and renewing. */
  letGo(): void {
    this.#asking.abort();
    this.#asking = new AbortController();
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#phase = 'none';
  }

  /** Another origin publishes. */
  lose(): void {
    if (this.#phase === 'held' || this.#phase === 'assumed') {
      this.letGo();
      this.#options.log.error('another origin has taken this stream over: it is stopped here');
      this.#options.onLost();
    }
  }

  #name(): { readonly origin: string; readonly leaseMs: number } {
    const { origin, leaseMs } = this.#options;
    return { origin, leaseMs };
  }

  #hold(phase: 'held' | 'assumed'): void {
    if (this.#phase === 'stand-by') {
      this.#options.log.warn('this origin takes the stream over');
    }
    this.#phase = phase;
    this.#timer ??= setInterval(() => {
      this.#renew().catch((error: unknown) => {
        this.#options.log.error({ err: error }, 'the lease was not renewed');
      });
    }, this.#options.leaseMs / RENEWALS_PER_LEASE);
  }

  #standBy(): void {
    if (this.#phase !== 'stand-by') {
      this.#phase = 'stand-by';
      this.#options.log.info('another origin publishes this stream: standing by');
    }
  }

  async #renew(): Promise<void> {
    const progress = this.#options.progress();
    const publishes = progress !== this.#progress;
    this.#progress = progress;
    if (publishes) {
      return;
    }
    const { signal } = this.#asking;
    const renewed = await this.#ask({ action: 'renew', ...this.#name() }, ONCE);
    if (signal.aborted || !renewed.ok || renewed.value.status !== 'held') {
      return;
    }
    const again = await this.#ask({ action: 'acquire', ...this.#name() }, ONCE);
    if (!signal.aborted && again.ok && again.value.status === 'held') {
      this.lose();
    }
  }

  #ask(
    request: LeaseRequest,
    patience: Pick<HubQuestion, 'tries' | 'timeoutMs'> = {},
  ): Promise<Result<LeaseAnswer, HubPositionFailure>> {
    const question = { ...this.#options.question, ...patience };
    const asked = { method: 'POST', path: '/lease', body: JSON.stringify(request) } as const;
    return askRepeatedly(question, asked, ({ status, body }) =>
      status === 200 || status === 409 ? leaseAnswerSchema.safeParse(readJson(body)).data : undefined,
    );
  }
}
