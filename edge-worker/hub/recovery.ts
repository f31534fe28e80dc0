/** The moment after a hub's restart, in which it waits for what it had released but not yet written. */

/**
 * How long playlists wait for the origin's next word, milliseconds. What a hub had released but not written when it
 * ended was not acknowledged either: the origin sends it again within that, and no player sees a playlist go back.
 */
const RECOVERY_MS = 1_000;

/** Whether a hub has heard its origin since it started, or has waited long enough for it. */
export class Recovery {
  #until: number;
  #over: PromiseWithResolvers<void> | undefined;

  /** `needed`: the stream is live, and the hub has it from storage. */
  constructor(needed: boolean) {
    this.#until = needed ? Date.now() + RECOVERY_MS : 0;
  }

  /** The origin was heard, or the wait is over. */
  end(): void {
    this.#until = 0;
    this.#over?.resolve();
  }

  /** Waits for {@link end}. */
  async over(): Promise<void> {
    const milliseconds = this.#until - Date.now();
    if (milliseconds <= 0) {
      return;
    }
    if (this.#over === undefined) {
      this.#over = Promise.withResolvers();
      setTimeout(() => this.end(), milliseconds);
    }
    await this.#over.promise;
  }
}
