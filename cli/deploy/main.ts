/** `npm run deploy -- …`. */

import { runCommand } from '../run-command.ts';
import { createDeployProgram } from './deploy-command.ts';

process.exitCode = await runCommand(createDeployProgram(), process.argv.slice(2));
