/** One life of the ffmpeg that pushes a feed to one target. */

import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { FeedContainer } from '../ingest/media-feed.ts';
import { renderOptions, restreamArguments } from './restream-arguments.ts';
import { redact, type TargetAddress } from './target-address.ts';

/** What a run is started with. */
export interface RestreamProcessOptions {
  readonly ffmpegPath: string;
  /** A folder of ours, for the file that is nameless before ffmpeg runs. */
  readonly folder: string;
  readonly container: FeedContainer;
  readonly address: TargetAddress;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** Media that may wait for a target, bytes: 8 s at 4 Mbit/s; a target so far behind starts anew at a key frame. */
const QUEUE_BYTES = 4 * 1024 * 1024;
/** A target that takes nothing for so long is given up, milliseconds, however little waits for it. */
const STALL_MS = 10_000;
/** Time for a run to send what it has once its input is over, milliseconds. */
const FINISH_MS = 3_000;
/** Lines of ffmpeg's standard error that are kept, and characters of each. */
const STDERR_LINES = 3;
const STDERR_LINE_CHARACTERS = 300;
/** Longest unfinished line of ffmpeg's that is kept, characters. */
const MAX_PARTIAL_LINE = 4_096;
/** What ffmpeg needs of our environment, which holds secrets: where programs, libraries and certificates lie. */
const ENVIRONMENT = ['PATH', 'LD_LIBRARY_PATH', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'HOME', 'LANG', 'TZ'];
/** Prefix of ffmpeg's lines that differs from run to run. */
const LINE_ADDRESS = / @ 0x[0-9a-f]+/g;

/** A running push. */
export class RestreamProcess {
  /** Resolves with why it ended, `undefined` where it was told to; never rejects. */
  readonly exited: Promise<string | undefined>;
  readonly startedAt: number;
  readonly #options: RestreamProcessOptions;
  readonly #child: ChildProcess;
  readonly #stdin: Writable;
  readonly #errors: string[] = [];
  #sentBytes = 0;
  #blockedSince: number | undefined;
  #ending = false;
  #cause: string | undefined;
  #finishTimer: NodeJS.Timeout | undefined;

  constructor(options: RestreamProcessOptions) {
    this.#options = options;
    this.startedAt = options.now();
    const { child, stdin, stdout, stderr } = start(options);
    this.#child = child;
    this.#stdin = stdin;
    // A target that goes away breaks the pipe; its exit says why.
    stdin.on('error', () => {});
    stdin.on('drain', () => (this.#blockedSince = undefined));
    readLines(stdout, (line) => this.#readProgress(line));
    readLines(stderr, (line) => this.#keep(line));
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => resolve(`ffmpeg cannot be run: ${error.message}`));
      child.once('close', (code, signal) => resolve(this.#explain(code, signal)));
    });
    void this.exited.then(() => clearTimeout(this.#finishTimer));
  }

  /** Bytes that the target has taken. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Bytes that wait for it. */
  get queuedBytes(): number {
    return this.#stdin.writableLength;
  }

  /** Hands over bytes, without waiting; a target that is too far behind is given up. */
  write(bytes: Uint8Array): void {
    const stdin = this.#stdin;
    if (this.#ending || !stdin.writable) {
      return;
    }
    const now = this.#options.now();
    if (stdin.writableLength + bytes.length > QUEUE_BYTES) {
      this.#giveUp(`the target is too slow: ${QUEUE_BYTES / 1024 / 1024} MiB waited for it`);
    } else if (this.#blockedSince !== undefined && now - this.#blockedSince > STALL_MS) {
      this.#giveUp(`the target took nothing for ${STALL_MS / 1000} s`);
    } else if (!stdin.write(bytes)) {
      this.#blockedSince ??= now;
    }
  }

  /** Ends the input; what has been taken is sent before ffmpeg goes, if that takes no longer than a few seconds. */
  end(): void {
    if (!this.#ending) {
      this.#ending = true;
      this.#stdin.end();
      this.#finishTimer = setTimeout(() => this.#child.kill('SIGKILL'), FINISH_MS);
    }
  }

  #giveUp(cause: string): void {
    this.#ending = true;
    this.#cause = cause;
    this.#stdin.destroy();
    this.#child.kill('SIGKILL');
  }

  #readProgress(line: string): void {
    const bytes = /^total_size=([0-9]{1,15})$/.exec(line)?.[1];
    this.#sentBytes = bytes === undefined ? this.#sentBytes : Number(bytes);
  }

  #keep(line: string): void {
    const shown = redact(line, this.#options.address).replace(LINE_ADDRESS, '');
    this.#errors.push(shown.slice(0, STDERR_LINE_CHARACTERS));
    this.#errors.splice(0, this.#errors.length - STDERR_LINES);
  }

  #explain(code: number | null, signal: string | null): string | undefined {
    if (this.#cause !== undefined || this.#ending) {
      return this.#cause;
    }
    const how = signal === null ? `exited with code ${code ?? '?'}` : `was ended by ${signal}`;
    return [`ffmpeg ${how}`, ...this.#errors].join(' | ');
  }
}

interface Started {
  readonly child: ChildProcess;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

function start({ ffmpegPath, folder, container, address }: RestreamProcessOptions): Started {
  const secrets = openNameless(folder, renderOptions(address));
  try {
    const env = Object.fromEntries(ENVIRONMENT.map((name) => [name, process.env[name]]));
    const stdio = ['pipe', 'pipe', 'pipe', secrets] as const;
    const child = spawn(ffmpegPath, restreamArguments(container, address), { env, stdio: [...stdio] });
    const { stdin, stdout, stderr } = child;
    if (stdin === null || stdout === null || stderr === null) {
      throw new Error('ffmpeg was started without pipes');
    }
    return { child, stdin, stdout, stderr };
  } finally {
    closeSync(secrets);
  }
}

/** Opens a file with a content that only we can read, and takes its name away at once. */
function openNameless(folder: string, content: string): number {
  const path = join(folder, `restream-${randomUUID()}`);
  const descriptor = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  // At a position, so that whoever shares the descriptor reads from the start.
  writeSync(descriptor, content, 0);
  return descriptor;
}

function readLines(stream: Readable, take: (line: string) => void): void {
  let partial = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (partial + chunk).split(/\r?\n/);
    partial = (lines.pop() ?? '').slice(0, MAX_PARTIAL_LINE);
    for (const line of lines.filter((one) => one.trim() !== '')) {
      take(line);
    }
  });
}
