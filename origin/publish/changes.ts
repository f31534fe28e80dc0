/** Lets others wait until something has changed. */

/** One occasion after the other; whoever waits looks for itself whether it is the one. */
export class Changes {
  #waiting: (() => void)[] = [];

  /** Resolves at the next change. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Releases everyone who waits. */
  notify(): void {
    for (const resolve of this.#waiting.splice(0)) {
      resolve();
    }
  }
}
