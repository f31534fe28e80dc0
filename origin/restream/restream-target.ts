/** One target of one stream: pushes the feed on while there is one, and starts again, at a key frame, when that fails. */

import { isDeepStrictEqual } from 'node:util';
import { retryDelay, type Backoff } from '../backoff.ts';
import type { FeedContainer, FeedEvent } from '../ingest/media-feed.ts';
import type { Log } from '../log.ts';
import { RestreamProcess, type RestreamProcessOptions } from './restream-process.ts';
import type { RestreamStatus } from './restream-status.ts';
import type { RestreamTargetSettings } from './settings.ts';

/** Waits before a next try: a platform that refuses a key is not asked every second. */
const BACKOFF: Backoff = { baseMs: 1_000, maxMs: 30_000 };
/** A run that lasted so long was healthy, milliseconds: the wait after it is a first one again. */
const HEALTHY_MS = 20_000;

/** What a target works with. */
export interface RestreamTargetOptions extends Pick<RestreamProcessOptions, 'ffmpegPath' | 'folder' | 'now'> {
  readonly settings: RestreamTargetSettings;
  readonly log: Log;
  readonly random: () => number;
}

/** A target. */
export class RestreamTarget {
  readonly #options: RestreamTargetOptions;
  #source: { readonly container: FeedContainer; readonly preamble: Uint8Array } | undefined;
  #process: RestreamProcess | undefined;
  readonly #running = new Set<RestreamProcess>();
  #attempt = 0;
  #notBefore = 0;
  #sentBefore = 0;
  #failures = 0;
  #lastFailure: string | undefined;
  #logged: string | undefined;
  #closed = false;

  constructor(options: RestreamTargetOptions) {
    this.#options = options;
  }

  /** Whether these are its settings. */
  hasSettings(settings: RestreamTargetSettings): boolean {
    return isDeepStrictEqual(settings, this.#options.settings);
  }

  /** Takes what the stream's pipeline takes; never waits. */
  take(event: FeedEvent, container: FeedContainer): void {
    switch (event.kind) {
      case 'source':
        this.#endRun();
        this.#source = { container, preamble: event.preamble };
        return;
      case 'media':
        this.#takeMedia(event);
        return;
      case 'end':
        this.#endRun();
        this.#source = undefined;
        return;
    }
  }

  /** What is known right now. */
  status(): RestreamStatus {
    const { name, address } = this.#options.settings;
    return {
      name,
      address: address.shown,
      state: this.#state(),
      sentBytes: this.#sentBefore + (this.#process?.sentBytes ?? 0),
      queuedBytes: this.#process?.queuedBytes ?? 0,
      failures: this.#failures,
      lastFailure: this.#isLive() ? undefined : this.#lastFailure,
    };
  }

  /** Pushes nothing more; resolves when ffmpeg is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#endRun();
    await Promise.all([...this.#running].map((run) => run.exited));
  }

  #state(): RestreamStatus['state'] {
    if (this.#source === undefined) {
      return 'idle';
    }
    if (this.#process === undefined) {
      return 'waiting';
    }
    return this.#isLive() ? 'live' : 'connecting';
  }

  #isLive(): boolean {
    return this.#process !== undefined && this.#process.sentBytes > 0;
  }

  #takeMedia(event: Extract<FeedEvent, { kind: 'media' }>): void {
    if (this.#process === undefined) {
      const due = this.#options.now() >= this.#notBefore;
      if (this.#source === undefined || this.#closed || !event.randomAccess || !due) {
        return;
      }
      this.#start(this.#source);
    }
    this.#process?.write(event.bytes);
  }

  #start(source: { readonly container: FeedContainer; readonly preamble: Uint8Array }): void {
    const { ffmpegPath, folder, now, settings } = this.#options;
    const { container } = source;
    try {
      const run = new RestreamProcess({ ffmpegPath, folder, container, address: settings.address, now });
      this.#process = run;
      this.#running.add(run);
      void run.exited.then((failure) => this.#onExit(run, failure));
      run.write(source.preamble);
    } catch (error) {
      // A full disk or too many processes: tried again like any other failure.
      this.#fail(`ffmpeg cannot be started: ${error instanceof Error ? error.message : String(error)}`, 0, 0);
    }
  }

  #endRun(): void {
    const run = this.#process;
    if (run !== undefined) {
      this.#process = undefined;
      run.end();
    }
  }

  #onExit(run: RestreamProcess, failure: string | undefined): void {
    this.#running.delete(run);
    this.#sentBefore += run.sentBytes;
    if (this.#process === run) {
      this.#process = undefined;
    }
    if (failure !== undefined) {
      this.#fail(failure, run.sentBytes, this.#options.now() - run.startedAt);
    }
  }

  #fail(failure: string, sentBytes: number, ranMs: number): void {
    const { now, random, settings, log } = this.#options;
    this.#attempt = sentBytes > 0 && ranMs >= HEALTHY_MS ? 1 : this.#attempt + 1;
    const waitMs = retryDelay(this.#attempt, BACKOFF, random());
    this.#notBefore = now() + waitMs;
    this.#failures += 1;
    this.#lastFailure = failure;
    // The same failure again tells nobody anything new, unless the target was live in between.
    if (failure !== this.#logged || sentBytes > 0) {
      this.#logged = failure;
      const { name, address } = settings;
      log.warn(
        { target: name, address: address.shown, detail: failure },
        'restream failed and is tried again',
      );
    }
  }
}
