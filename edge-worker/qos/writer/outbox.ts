/** Gathers an isolate's rows for a moment, so that thousands of beacons become a few calls of the writer. */

import { describeError, logEvent } from '../../log.ts';

/** How long rows gather, milliseconds: short against the five seconds within which a report shall show them. */
const GATHER_MS = 500;
/** Characters in one call. */
const MAX_CALL_LENGTH = 1_000_000;
/** Characters that wait while the writer is away: some 60,000 rows; what comes beyond is dropped and counted. */
const MAX_WAITING_LENGTH = 20_000_000;

/** How rows leave. */
export interface OutboxRoute {
  /** `dropped`: rows that have been dropped since the last call that arrived. */
  readonly send: (rows: string, dropped: number) => Promise<void>;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** Rows of all requests of an isolate on their way to the writer. */
export class Outbox {
  #rows: string[] = [];
  #length = 0;
  #isGathering = false;
  /** Rows dropped that no call has told of yet. */
  #dropped = 0;
  readonly #maxCallRows: number;
  readonly #pause: (milliseconds: number) => Promise<void>;

  /** `maxCallRows`: rows in one call. */
  constructor(maxCallRows: number = Infinity, pause: (milliseconds: number) => Promise<void> = sleep) {
    this.#maxCallRows = maxCallRows;
    this.#pause = pause;
  }

  /** Takes rows; the first of a batch also brings the work that sends it. */
  add(rows: readonly string[], route: OutboxRoute): void {
    for (const row of rows) {
      if (this.#length + row.length > MAX_WAITING_LENGTH) {
        this.#dropped += 1;
      } else {
        this.#rows.push(row);
        this.#length += row.length + 1;
      }
    }
    if (!this.#isGathering && this.#rows.length > 0) {
      this.#isGathering = true;
      route.waitUntil(this.#sendSoon(route.send));
    }
  }

  async #sendSoon(send: OutboxRoute['send']): Promise<void> {
    await this.#pause(GATHER_MS);
    this.#isGathering = false;
    const rows = this.#rows;
    this.#rows = [];
    this.#length = 0;
    for (const call of calls(rows, this.#maxCallRows)) {
      const dropped = this.#dropped;
      try {
        await send(call.join('\n'), dropped);
        this.#dropped -= dropped;
      } catch (error) {
        // The next request's batch takes them along.
        this.#putBack(call);
        logEvent('warn', 'qos-writer-away', { rows: call.length, cause: describeError(error) });
      }
    }
  }

  #putBack(rows: readonly string[]): void {
    const length = rows.reduce((sum, row) => sum + row.length + 1, 0);
    if (this.#length + length > MAX_WAITING_LENGTH) {
      this.#dropped += rows.length;
      return;
    }
    this.#rows = [...rows, ...this.#rows];
    this.#length += length;
  }
}

function calls(rows: readonly string[], maxRows: number): readonly (readonly string[])[] {
  const result: string[][] = [];
  let length = MAX_CALL_LENGTH;
  for (const row of rows) {
    if (length + row.length > MAX_CALL_LENGTH || result.at(-1)?.length === maxRows) {
      result.push([]);
      length = 0;
    }
    result.at(-1)?.push(row);
    length += row.length + 1;
  }
  return result;
}

async function sleep(milliseconds: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
