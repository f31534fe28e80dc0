/** One ffmpeg process as a stage of the pipeline: feed bytes in, fragmented MP4 out. */

import { PassThrough } from 'node:stream';
import { milliseconds, type Milliseconds } from '#shared/media-time.ts';
import type { Log } from '../log.ts';
import { runFfmpeg, type CommandEnd } from './ffmpeg-command.ts';
import { joinInits } from './init-join.ts';
import { INSTALL_FFMPEG } from './install-hint.ts';
import { NOTHING_SEEN, observe, stalledFor, type OutputWatch, type WatchEvent } from './output-watch.ts';

/** Input that waits before ffmpeg's pipe, bytes: half a second at 4 Mbit/s, then the writer waits. */
const INPUT_BUFFER_BYTES = 256 * 1024;
/** Output that waits for its reader, bytes; then ffmpeg waits. */
const OUTPUT_BUFFER_BYTES = 256 * 1024;
/** What ffmpeg gets to end by itself after SIGTERM before SIGKILL. */
const KILL_GRACE = milliseconds(2_000);
/** Input without output for so long is a stall: longer than any start, even on a loaded machine. */
const STALL_LIMIT = milliseconds(8_000);
/** How often that is looked at. */
const WATCH_INTERVAL = milliseconds(500);

/** How a run ended. */
export type TranscoderExit =
  | Exclude<CommandEnd, { kind: 'spawn-failed' }>
  /** It took input for `after` without giving output, and was killed for it. */
  | { readonly kind: 'stalled'; readonly after: Milliseconds; readonly stderrTail: readonly string[] }
  /** The program could not be started; `detail` names the path and how to install it. */
  | { readonly kind: 'spawn-failed'; readonly detail: string };

/** A running transcoder. */
export interface Transcoder {
  /**
   * Hands over bytes, one call at a time; resolves to `true` when more may follow, and to `false` once the
   * process is gone or was told to end. Never rejects.
   */
  write(bytes: Uint8Array): Promise<boolean>;
  /** Ends the input; ffmpeg flushes its last frames and finishes. */
  end(): void;
  /** Ends the process: politely, and two seconds later for certain. */
  kill(): void;
  /**
   * Its output as it comes, for one reader, who slows ffmpeg down by not reading; leaving the loop kills it.
   * Throws `InitJoinError` for output that is no such file.
   */
  readonly output: AsyncIterable<Uint8Array>;
  /** Resolves when the process is gone; never rejects. */
  readonly exited: Promise<TranscoderExit>;
}

/** What a transcoder is started with. */
export interface TranscoderOptions {
  /** A path, or a name that is looked for in PATH. */
  readonly ffmpegPath: string;
  /** From `ffmpegArguments`. */
  readonly arguments: readonly string[];
  /** Renditions of the plan: as many headers does ffmpeg write. */
  readonly tracks: number;
  readonly log: Log;
}

/** Starts ffmpeg; a failure to start is told by `exited`. */
export function startTranscoder(options: TranscoderOptions): Transcoder {
  return new FfmpegProcess(options);
}

class FfmpegProcess implements Transcoder {
  readonly output: AsyncIterable<Uint8Array>;
  readonly exited: Promise<TranscoderExit>;

  // Without these, their closing would tell fluent-ffmpeg to kill a process that is about to end well.
  readonly #stdin = new PassThrough({ highWaterMark: INPUT_BUFFER_BYTES, emitClose: false });
  readonly #stdout = new PassThrough({ highWaterMark: OUTPUT_BUFFER_BYTES, emitClose: false });
  readonly #command;
  #open = true;
  #gone = false;
  #blocked: ((more: boolean) => void) | undefined;
  #watch: OutputWatch = NOTHING_SEEN;
  #stalled: Milliseconds | undefined;

  constructor(options: TranscoderOptions) {
    this.#stdin.on('drain', () => this.#unblock(true));
    this.#stdin.on('error', () => this.#unblock(false));
    this.#command = runFfmpeg({
      ffmpegPath: options.ffmpegPath,
      arguments: options.arguments,
      stdin: this.#stdin,
      stdout: this.#stdout,
      onStderr: (line) => options.log.debug({ line }, 'ffmpeg'),
    });
    this.output = this.#read(options.tracks);
    const watchdog = setInterval(() => this.#checkStall(), WATCH_INTERVAL);
    this.exited = this.#command.ended.then((end) => {
      clearInterval(watchdog);
      return this.#settle(end);
    });
  }

  write(bytes: Uint8Array): Promise<boolean> {
    if (!this.#open || this.#gone) {
      return Promise.resolve(false);
    }
    this.#see('input');
    if (this.#stdin.write(bytes)) {
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      this.#unblock(true);
      this.#blocked = resolve;
    });
  }

  end(): void {
    if (this.#open) {
      this.#open = false;
      this.#stdin.end();
    }
  }

  kill(): void {
    if (this.#gone) {
      return;
    }
    this.#open = false;
    this.#unblock(false);
    this.#command.signal('SIGTERM');
    const certain = setTimeout(() => this.#command.signal('SIGKILL'), KILL_GRACE);
    void this.#command.ended.then(() => clearTimeout(certain));
  }

  async *#read(tracks: number): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of joinInits(this.#chunks(), tracks)) {
        yield chunk;
      }
    } finally {
      this.kill();
    }
  }

  async *#chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of this.#stdout) {
      this.#see('output');
      if (chunk instanceof Uint8Array) {
        yield chunk;
      }
    }
  }

  #see(event: WatchEvent): void {
    this.#watch = observe(this.#watch, event, milliseconds(performance.now()));
  }

  #checkStall(): void {
    // Output that lies unread is the reader's pause, not ffmpeg's.
    if (this.#stdout.readableLength > 0) {
      return;
    }
    if (this.#blocked !== undefined) {
      this.#see('blocked');
    }
    const after = stalledFor(this.#watch);
    if (after >= STALL_LIMIT && this.#stalled === undefined) {
      this.#stalled = after;
      this.#open = false;
      this.#unblock(false);
      this.#command.signal('SIGKILL');
    }
  }

  #unblock(more: boolean): void {
    this.#blocked?.(more);
    this.#blocked = undefined;
  }

  #settle(end: CommandEnd): TranscoderExit {
    this.#gone = true;
    this.#unblock(false);
    this.#stdin.destroy();
    if (end.kind === 'spawn-failed') {
      this.#stdout.end();
      return { kind: 'spawn-failed', detail: `${end.detail}; ${INSTALL_FFMPEG}` };
    }
    if (this.#stalled !== undefined) {
      return { kind: 'stalled', after: this.#stalled, stderrTail: end.stderrTail };
    }
    return end;
  }
}
