/** Runs wrangler, Cloudflare's own command line, and tells its failures apart. */

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { CommandError } from '../terminal.ts';

/** Longest that one command may take, milliseconds: an upload of the Worker and its pages over a slow line. */
const COMMAND_LIMIT_MS = 5 * 60_000;
/** Output that is kept, characters: the newest. */
const MAX_OUTPUT = 200_000;
/** Lines of a failed command that are shown. */
const SHOWN_LINES = 12;
// Wrangler colours its lines even for a pipe in some cases.
const ANSI_COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** What a command said. */
export interface WranglerAnswer {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command with its arguments; `input` goes to its standard input, which no log and no process list shows. */
export type Wrangler = (args: readonly string[], input?: string) => Promise<WranglerAnswer>;

/** A wrangler in a folder, with an environment beside this process's own. */
export function openWrangler(folder: string, environment: Readonly<Record<string, string>>): Wrangler {
  const script = path.join(
    path.dirname(createRequire(import.meta.url).resolve('wrangler/package.json')),
    'bin/wrangler.js',
  );
  return async (args, input) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: folder,
      env: {
        ...process.env,
        WRANGLER_SEND_METRICS: 'false',
        FORCE_COLOR: '0',
        CI: 'true',
        WRANGLER_WRITE_LOGS: 'false',
        ...environment,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: COMMAND_LIMIT_MS,
    });
    child.stdin.on('error', () => undefined).end(input ?? '');
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { ok: code === 0, stdout: stdout(), stderr: stderr() };
  };
}

/** Gives what a command said to stdout; throws a {@link CommandError} with its last lines where it failed. */
export function orFail(answer: WranglerAnswer, what: string, remedy: string): string {
  if (answer.ok) {
    return answer.stdout;
  }
  const lines = `${answer.stdout}\n${answer.stderr}`.split('\n').filter((line) => line.trim() !== '');
  throw new CommandError(`${what}: ${remedy}\n${lines.slice(-SHOWN_LINES).join('\n')}`);
}

/** True when a failed command names one of the API's error codes. */
export function failedWith(answer: WranglerAnswer, code: number): boolean {
  return !answer.ok && `${answer.stdout}${answer.stderr}`.includes(`code: ${code}]`);
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-MAX_OUTPUT);
  });
  return () => text.replaceAll(ANSI_COLOUR, '');
}
