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
}): Log {
  const base = { level: options.level, name: options.name, redact: SECRET_PATHS };
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
