/** Turns what workerd and Miniflare say into log records. */

import { Log, LogLevel, type V4WorkerdStructuredLog } from 'miniflare';

/** The logger an edge host writes to; pino's fits. */
export interface HostLog {
  readonly debug: (facts: object, message: string) => void;
  readonly info: (facts: object, message: string) => void;
  readonly warn: (facts: object, message: string) => void;
  readonly error: (facts: object, message: string) => void;
}

/** Longest line of a Worker that is logged, characters: a runaway `console.log` must not flood the log. */
const MAX_LINE = 4000;
// Miniflare colours its lines for a terminal.
const ANSI_COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** Miniflare's two log options, both writing to one logger. */
export function runtimeLog(log: HostLog): {
  readonly log: Log;
  readonly handleStructuredLogs: (entry: V4WorkerdStructuredLog) => void;
} {
  return {
    log: new MiniflareLog(log),
    handleStructuredLogs: (entry) => {
      write(log, entry.level, entry.message);
    },
  };
}

class MiniflareLog extends Log {
  readonly #log: HostLog;

  constructor(log: HostLog) {
    super(LogLevel.WARN);
    this.#log = log;
  }

  override logWithLevel(level: LogLevel, message: string): void {
    if (level === LogLevel.ERROR) {
      write(this.#log, 'error', message);
    } else if (level === LogLevel.WARN) {
      write(this.#log, 'warn', message);
    }
  }

  override error(error: Error): void {
    write(this.#log, 'error', error.stack ?? error.message);
  }
}

function write(log: HostLog, level: string, text: string): void {
  const message = text.replace(ANSI_COLOUR, '').trimEnd().slice(0, MAX_LINE);
  switch (level) {
    case 'error':
      log.error({}, message);
      return;
    case 'warn':
      log.warn({}, message);
      return;
    case 'debug':
      log.debug({}, message);
      return;
    default:
      log.info({}, message);
  }
}
