/**
 * Viewers as a process of their own, one kept-alive connection each: the parent says over IPC where to connect and
 * what everyone asks for next, and hears when the last answer was whole. Sockets and a parser of a few lines rather
 * than `fetch`, so that what is measured is the server.
 */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the parent says. */
export type ViewersCommand =
  | { readonly kind: 'connect'; readonly port: number; readonly folders: readonly string[] }
  | { readonly kind: 'ask'; readonly file: string; readonly acceptEncoding: string };

/** What the parent hears; instants are {@link monotonicMs}. */
export type ViewersReport =
  | { readonly kind: 'connected' }
  | { readonly kind: 'asked' }
  | {
      readonly kind: 'answered';
      readonly firstAt: number;
      readonly lastAt: number;
      /** How many answers there were of each status and `Cache-Status`. */
      readonly counts: Readonly<Record<string, number>>;
      /** User and system time of this process since everyone had asked, milliseconds. */
      readonly cpuMs: number;
    };

/** Connections that are opened at once: fewer than a listener's backlog. */
const CONNECT_AT_ONCE = 100;
/** How long answers are waited for, milliseconds: longer than any hold. */
const ANSWER_LIMIT_MS = 60_000;
const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** Milliseconds of a clock that all processes of this machine share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** One viewer's connection: one request at a time, its answer counted and thrown away. */
class Viewer {
  readonly #folder: string;
  readonly #socket: Socket;
  #received: Buffer[] = [];
  #done: ((outcome: string) => void) | undefined;

  private constructor(socket: Socket, folder: string) {
    this.#socket = socket;
    this.#folder = folder;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#end(error.message));
    socket.on('close', () => this.#end('closed'));
  }

  static async connect(port: number, folder: string): Promise<Viewer> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Viewer(socket, folder);
  }

  /** Sends a request; the promise is its outcome, `status cache-status`. */
  ask(file: string, acceptEncoding: string): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#done = resolve;
    const head = [`GET ${this.#folder}/${file} HTTP/1.1`, 'Host: edge', `Accept-Encoding: ${acceptEncoding}`];
    this.#socket.write(`${head.join('\r\n')}\r\n\r\n`);
    return promise;
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    const bytes = this.#received.length === 1 ? chunk : Buffer.concat(this.#received);
    const headEnd = bytes.indexOf(HEAD_END);
    if (headEnd < 0) {
      return;
    }
    const head = bytes.toString('latin1', 0, headEnd);
    const length = /^content-length: (\d+)$/im.exec(head)?.[1];
    const body = bytes.length - headEnd - HEAD_END.length;
    const whole =
      length === undefined ? bytes.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK) : body >= Number(length);
    if (whole) {
      this.#end(`${head.slice(9, 12)} ${/^cache-status: (.*)$/im.exec(head)?.[1] ?? 'no cache'}`);
    }
  }

  #end(outcome: string): void {
    this.#received = [];
    this.#done?.(outcome);
    this.#done = undefined;
  }
}

let viewers: readonly Viewer[] = [];

function report(message: ViewersReport): void {
  process.send?.(message);
}

async function connectAll(port: number, folders: readonly string[]): Promise<void> {
  const connected: Viewer[] = [];
  for (let at = 0; at < folders.length; at += CONNECT_AT_ONCE) {
    const some = folders.slice(at, at + CONNECT_AT_ONCE).map((folder) => Viewer.connect(port, folder));
    connected.push(...(await Promise.all(some)));
  }
  viewers = connected;
  report({ kind: 'connected' });
}

async function askAll(file: string, acceptEncoding: string): Promise<void> {
  const counts: Record<string, number> = {};
  let firstAt = Infinity;
  let lastAt = 0;
  const answers = viewers.map(async (viewer) => {
    const outcome = await viewer.ask(file, acceptEncoding);
    lastAt = monotonicMs();
    firstAt = Math.min(firstAt, lastAt);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  });
  report({ kind: 'asked' });
  const cpuBefore = process.cpuUsage();
  await Promise.race([Promise.all(answers), sleep(ANSWER_LIMIT_MS, undefined, { ref: false })]);
  const { user, system } = process.cpuUsage(cpuBefore);
  report({ kind: 'answered', firstAt, lastAt, counts, cpuMs: (user + system) / 1000 });
}

process.on('message', (command: ViewersCommand) => {
  const work =
    command.kind === 'connect'
      ? connectAll(command.port, command.folders)
      : askAll(command.file, command.acceptEncoding);
  work.catch((error: unknown) => {
    process.stderr.write(`viewers: ${String(error)}\n`);
    process.exit(1);
  });
});
process.on('disconnect', () => process.exit(0));
