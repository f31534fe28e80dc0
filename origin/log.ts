/** Structured logs: JSON lines for collectors, readable lines in a terminal. */

import { pino, type Logger } from 'pino';

/** A structured logger; children carry the stream they speak of. */
export type Log = Logger;

/** Field names whose values never reach a log. */
const SECRET_PATHS = ['key', 'token', 'secret', '*.key', '*.token', '*.secret', 'headers.authorization'];

/** Makes the root logger: readable on a terminal, JSON otherwise; `level` as in pino. */
export function createLog(options: {
  readonly level: string;
  readonly pretty: boolean;
  readonly name: string;
  /** Told of every logger that is made of this one or of its children. */
  readonly onChild?: (child: Log) => void;
}): Log {
  const { level, name, onChild = () => undefined } = options;
  const base = { level, name, redact: SECRET_PATHS, onChild };
  return options.pretty
    ? pino({
        ...base,
        transport: {
          target: 'pino-pretty',
          options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' },
        },
      })
    : pino(base);
}
