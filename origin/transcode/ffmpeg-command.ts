/** The only module that knows fluent-ffmpeg: one ffmpeg between two streams, and what it can do. */

import type { Readable, Writable } from 'node:stream';
import fluent from 'fluent-ffmpeg';
import { confined } from './confinement/confinement.ts';

declare module 'fluent-ffmpeg' {
  interface FfmpegCommand {
    /** Runs the program with `args`; the last of `rest` is called when it is gone. */
    _spawnFfmpeg(args: string[], ...rest: unknown[]): void;
    /** Tells which program that is. */
    _getFfmpegPath(callback: (error: unknown, path: string) => void): void;
  }
}

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
  surviveSpawnErrors(command);
  confine(command, options.ffmpegPath);
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
    command.on('error', (error: Error, _stdout: unknown, stderr: unknown) => {
      const end = endOf(error, options.ffmpegPath, stderr);
      if (!running || end.kind === 'spawn-failed') {
        // There was no process whose end would end it.
        options.stdout.end();
      }
      resolve(end);
    });
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

/** Reads a program's output that was kept; there is none when it never ran. */
const NO_LINES = { get: (): string => '' };

/** A program that cannot be spawned would have fluent-ffmpeg throw where nobody catches, for want of lines. */
function surviveSpawnErrors(command: fluent.FfmpegCommand): void {
  const spawn = command._spawnFfmpeg.bind(command);
  command._spawnFfmpeg = (args, ...rest) => {
    const ended = rest.pop();
    spawn(args, ...rest, (error: unknown, stdout: unknown, stderr: unknown) => {
      if (typeof ended === 'function') {
        ended(error, stdout ?? NO_LINES, stderr ?? NO_LINES);
      }
    });
  };
}

/** Its runs go through the tools that confine them, with an environment of their own. */
function confine(command: fluent.FfmpegCommand, path: string): void {
  const spawn = command._spawnFfmpeg.bind(command);
  command._spawnFfmpeg = (args, options, ...rest) => {
    const how = confined(path, args);
    if (how.command !== path) {
      command._getFfmpegPath = (callback) => callback(undefined, how.command);
    }
    const given = typeof options === 'object' ? options : {};
    spawn(
      [...how.args],
      { ...given, env: how.env },
      ...(typeof options === 'object' ? rest : [options, ...rest]),
    );
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
