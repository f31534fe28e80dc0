/** Reads what a command is given in a file. */

import { readFile } from 'node:fs/promises';
import { CommandError } from './terminal.ts';

/** Reads a file of JSON. Throws a {@link CommandError} where there is none. */
export async function readJsonFile(file: string): Promise<unknown> {
  try {
    const json: unknown = JSON.parse(await readFile(file, 'utf8'));
    return json;
  } catch (error) {
    throw new CommandError(
      `${file} is no JSON file: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}
