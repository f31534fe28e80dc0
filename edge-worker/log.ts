/** Structured logs of the edge: one JSON object a line, which Workers Logs indexes by field. */

/** How much a log line matters. */
export type LogLevel = 'info' | 'warn' | 'error';

/** What a log line tells beside its event; tokens, keys and URLs that carry them never belong here. */
export type LogFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one log line: `event` names what happened, in kebab-case. */
export function logEvent(level: LogLevel, event: string, facts: LogFacts): void {
  // oxlint-disable-next-line no-console -- the console is the log of a Worker
  console[level](JSON.stringify({ level, event, ...facts }));
}

/** Says what went wrong in words: an error's name and message, never its stack. */
export function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
