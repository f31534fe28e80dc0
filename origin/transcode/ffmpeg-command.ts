/** The only module that knows fluent-ffmpeg: one ffmpeg between two streams, and what it can do. */

import type { Readable, Writable } from 'node:stream';
import fluent from 'fluent-ffmpeg';

/** Lines of standard error that are kept. */
const STDERR_LINES = 20;
/** Characters kept of each: damaged input can make ffmpeg print long ones. */
const STDERR_LINE_CHARACTERS = 400;

/** How a run ended. */
export type CommandEnd =
  | { readonly kind: 'finished'; readonly stderrTail: readonly string[] }
  | {
      readonly kind: 'failed';
      /** Exit code, unless a signal ended it. */
      readonly code: number | undefined;
      readonly signal: string | undefined;
      readonly stderrTail: readonly string[];
    }
  | { readonly kind: 'spawn-failed'; readonly detail: string };

/** A run of ffmpeg. */
export interface FfmpegCommand {
  readonly ended: Promise<CommandEnd>;
  /** Sends a signal; one sent before the process exists is kept for it. */
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
}

/** What a run needs. */
export interface CommandOptions {
  readonly ffmpegPath: string;
  /** The whole command line, with `pipe:0` and `pipe:1` in it. */
  readonly arguments: readonly string[];
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly onStderr: (line: string) => void;
}

/**
 * Starts ffmpeg. Before its first run in this process, fluent-ffmpeg asks the program twice what it can do;
 * {@link listEncoders} beforehand keeps that out of the first stream's start. The path is process-wide.
 */
export function runFfmpeg(options: CommandOptions): FfmpegCommand {
  const command = fluent(options.stdin, { stdoutLines: STDERR_LINES }).output(options.stdout);
  command.setFfmpegPath(options.ffmpegPath);
  // Its own option builder knows one muxer and one pipe; the command line is ours.
  command._getArguments = (): string[] => [...options.arguments];
  command.on('stderr', (line: string) => options.onStderr(shorten(line)));

  let running = false;
  let early: 'SIGTERM' | 'SIGKILL' | undefined;
  command.on('start', () => {
    running = true;
    if (early !== undefined) {
      command.kill(early);
    }
  });
  const ended = new Promise<CommandEnd>((resolve) => {
    command.on('end', (_stdout: unknown, stderr: unknown) =>
      resolve({ kind: 'finished', stderrTail: tail(stderr) }),
    );
    command.on('error', (error: Error, _stdout: unknown, stderr: unknown) =>
      resolve(endOf(error, options.ffmpegPath, stderr)),
    );
  });
  command.run();
  return {
    ended,
    signal: (name) => {
      if (running) {
        command.kill(name);
      } else {
        early = name;
      }
    },
  };
}

/** Names of the encoders of an ffmpeg, and keeps them for the runs that follow; rejects when it does not run. */
export async function listEncoders(ffmpegPath: string): Promise<ReadonlySet<string>> {
  const command = fluent();
  command.setFfmpegPath(ffmpegPath);
  await new Promise<void>((resolve, reject) => {
    command.getAvailableFormats((error: unknown) => (error ? reject(asError(error)) : resolve()));
  });
  return new Promise((resolve, reject) => {
    command.getAvailableEncoders((error, encoders) =>
      error ? reject(asError(error)) : resolve(new Set(Object.keys(encoders))),
    );
  });
}

function endOf(error: Error, ffmpegPath: string, stderr: unknown): CommandEnd {
  if ('syscall' in error || error.message === 'Cannot find ffmpeg') {
    return { kind: 'spawn-failed', detail: `"${ffmpegPath}" cannot be run: ${error.message}` };
  }
  const code = /exited with code (\d+)/.exec(error.message)?.[1];
  return {
    kind: 'failed',
    code: code === undefined ? undefined : Number(code),
    signal: /killed with signal (\w+)/.exec(error.message)?.[1],
    stderrTail: tail(stderr ?? error.message),
  };
}

function tail(stderr: unknown): readonly string[] {
  const lines = typeof stderr === 'string' ? stderr.split('\n') : [];
  return lines
    .filter((line) => line.trim() !== '')
    .slice(-STDERR_LINES)
    .map(shorten);
}

function shorten(line: string): string {
  return line.slice(0, STDERR_LINE_CHARACTERS);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
