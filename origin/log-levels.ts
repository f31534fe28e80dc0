/** Log levels that change while the origin runs: for everything, or for one part of it. */

import type { Log } from './log.ts';
import type { LogLevel } from './settings-environment.ts';

/** Lines without a part of their own are of this one: they speak of a stream. */
const STREAM_PART = 'stream';
/** Loggers that are remembered before those of closed connections are sorted out. */
const PRUNE_AT = 1_000;

/** Levels in force. */
export interface LogLevelState {
  readonly level: LogLevel;
  /** Parts with a level of their own. */
  readonly parts: Readonly<Record<string, LogLevel>>;
}

interface Known {
  readonly part: string;
  readonly log: WeakRef<Log>;
}

/** Knows all loggers; a logger copies its parent's level when it is made, so a change has to reach each. */
export class LogLevels {
  #level: LogLevel;
  readonly #parts = new Map<string, LogLevel>();
  #known: Known[] = [];
  #pruneAt = PRUNE_AT;

  constructor(level: LogLevel) {
    this.#level = level;
  }

  /** Levels in force. */
  get state(): LogLevelState {
    return { level: this.#level, parts: Object.fromEntries(this.#parts) };
  }

  /** Parts that have logged since the start. */
  get knownParts(): readonly string[] {
    return [...new Set(this.#known.map(({ part }) => part))].sort();
  }

  /** Takes a new logger in. */
  add(log: Log): void {
    const { part } = log.bindings();
    const name = typeof part === 'string' ? part : STREAM_PART;
    this.#known.push({ part: name, log: new WeakRef(log) });
    log.level = this.#levelOf(name);
    if (this.#known.length >= this.#pruneAt) {
      this.#known = this.#known.filter((one) => one.log.deref() !== undefined);
      this.#pruneAt = Math.max(PRUNE_AT, this.#known.length * 2);
    }
  }

  /** Sets the level of everything that has none of its own, or of one part; `undefined` takes a part's away. */
  set(level: LogLevel | undefined, part?: string): void {
    if (part === undefined) {
      this.#level = level ?? this.#level;
    } else if (level === undefined) {
      this.#parts.delete(part);
    } else {
      this.#parts.set(part, level);
    }
    for (const one of this.#known) {
      const log = one.log.deref();
      if (log !== undefined) {
        log.level = this.#levelOf(one.part);
      }
    }
  }

  #levelOf(part: string): LogLevel {
    return this.#parts.get(part) ?? this.#level;
  }
}
