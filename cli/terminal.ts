/** What the commands print: results and progress to stdout, complaints to stderr. */

/** Prints a line of result or progress. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a line about something that went wrong. */
export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A failure whose message tells the user cause and remedy: it is printed without a stack. */
export class CommandError extends Error {
  readonly code = 'RILL_COMMAND';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CommandError';
  }
}

/** An error as the user reads it: bugs keep their stack. */
export function describeError(error: unknown): string {
  if (error instanceof CommandError) {
    return error.message;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
