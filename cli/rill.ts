/** `npm run -s rill -- <command>`. */

import process from 'node:process';
import { createRillProgram } from './rill-program.ts';
import { runCommand } from './run-command.ts';

process.exitCode = await runCommand(createRillProgram(), process.argv.slice(2));
