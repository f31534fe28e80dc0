/** Runs a commander program with this project's exit codes: 1 for a failure, 2 for wrong usage. */

import { CommanderError, type Command } from 'commander';
import { complain, describeError } from './terminal.ts';

const FAILURE = 1;
const WRONG_USAGE = 2;

/** Parses the arguments and runs what they ask for; resolves with the exit code. */
export async function runCommand(program: Command, args: readonly string[]): Promise<number> {
  overrideExit(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? 0 : WRONG_USAGE;
    }
    complain(`rill: ${describeError(error)}`);
    return FAILURE;
  }
}

function overrideExit(command: Command): void {
  command.exitOverride().showHelpAfterError('(--help tells more)');
  for (const one of command.commands) {
    overrideExit(one);
  }
}
