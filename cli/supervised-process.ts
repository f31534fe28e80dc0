/** A process of an instance: started, awaited until ready, started again when it dies, ended with all its children. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds, type Milliseconds } from '#shared/media-time.ts';
import { CommandError } from './terminal.ts';

/** How it shows that a process is ready. */
type Readiness =
  /** It sends any IPC message. */
  | { readonly kind: 'message' }
  /** The URL answers 2xx. */
  | { readonly kind: 'healthy'; readonly url: string }
  | { readonly kind: 'spawned' };

/** What to run. */
export interface ProcessPlan {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly readiness: Readiness;
  /** A Node process gets an IPC channel: its "disconnect" tells it that this process is gone. */
  readonly ipc: boolean;
  /** Time to end by itself before it is killed. */
  readonly grace: Milliseconds;
}

/** Who hears of a process. */
export interface ProcessListener {
  readonly say: (line: string) => void;
  /** It died too often in a row. */
  readonly onGivenUp: (error: CommandError) => void;
}

/** A slow machine under load starts the edge in some ten seconds. */
const READY_LIMIT = milliseconds(60_000);
const POLL_INTERVAL = milliseconds(50);
const POLL_LIMIT = milliseconds(2000);
/** A process that lived this long has recovered: its next death counts as the first. */
const RECOVERED_AFTER = milliseconds(30_000);
/** Deaths in a row after which it is given up: about a minute of trying. */
const MAX_DEATHS = 12;
const FIRST_DELAY = milliseconds(250);
const LONGEST_DELAY = milliseconds(8000);

/** How long to wait before the start that follows the n-th death in a row. */
export function restartDelay(deaths: number): Milliseconds {
  return milliseconds(Math.min(FIRST_DELAY * 2 ** (deaths - 1), LONGEST_DELAY));
}

/** One supervised process. */
export class SupervisedProcess {
  readonly #plan: ProcessPlan;
  readonly #listener: ProcessListener;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  /** Resolves with what became of the current child. */
  #end: Promise<string> = Promise.resolve('was never started');

  constructor(plan: ProcessPlan, listener: ProcessListener) {
    this.#plan = plan;
    this.#listener = listener;
  }

  /** Number of the process that runs, or ran last. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it and waits until it is ready; throws a {@link CommandError} when it ends before that. */
  async start(): Promise<void> {
    await this.#launch();
    void this.#supervise();
  }

  /** Ends it and everything it started: first asked to, after its grace killed. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (child === undefined) {
      return;
    }
    child.kill('SIGTERM');
    // A process that listens for its parent's end stays alive for as long as the channel is open.
    if (child.connected) {
      child.disconnect();
    }
    const timer = new AbortController();
    const late = sleep(this.#plan.grace, 'late', { signal: timer.signal }).catch(() => 'ended');
    if ((await Promise.race([this.#end, late])) === 'late') {
      this.#listener.say(`the ${this.#plan.name} did not end within ${this.#plan.grace / 1000} s: killed`);
    }
    timer.abort();
    this.kill();
    await this.#end;
  }

  /** Ends it and everything it started, at once. */
  kill(): void {
    this.#stopping.abort();
    if (this.#child !== undefined) {
      killGroup(this.#child);
    }
  }

  async #launch(): Promise<void> {
    const { name, command, args, env, ipc, readiness } = this.#plan;
    // A session of its own: the terminal's Ctrl-C reaches this process alone, which then ends the others in
    // order; and what a killed process leaves behind is found by its group.
    const child = spawn(command, args, {
      env,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', ipc ? 'ipc' : 'ignore'],
    });
    this.#child = child;
    this.#end = endOf(child);
    const waiting = new AbortController();
    const outcome = await Promise.race([this.#end, untilReady(child, readiness, waiting.signal)]);
    waiting.abort();
    if (outcome !== undefined) {
      killGroup(child);
      throw new CommandError(`the ${name} did not start: it ${outcome}`);
    }
  }

  async #supervise(): Promise<void> {
    const { name } = this.#plan;
    let deaths = 0;
    while (!this.#stopping.signal.aborted) {
      const since = performance.now();
      const end = await this.#end;
      if (this.#stopping.signal.aborted) {
        return;
      }
      deaths = performance.now() - since > RECOVERED_AFTER ? 1 : deaths + 1;
      if (deaths > MAX_DEATHS) {
        this.#listener.onGivenUp(new CommandError(`the ${name} ${end}, ${deaths} times in a row: given up`));
        return;
      }
      const delay = restartDelay(deaths);
      this.#listener.say(`the ${name} ${end}: it starts again in ${delay / 1000} s`);
      await sleep(delay, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      await this.#restart();
    }
  }

  async #restart(): Promise<void> {
    if (this.#stopping.signal.aborted) {
      return;
    }
    try {
      await this.#launch();
      this.#listener.say(`the ${this.#plan.name} is running again`);
    } catch (error) {
      if (!(error instanceof CommandError)) {
        throw error;
      }
      // The next turn of the supervision sees its end and counts it.
    }
  }
}

/** Resolves, never rejects, with how a child ended; by then its group is gone too. */
async function endOf(child: ChildProcess): Promise<string> {
  const end = await new Promise<string>((resolve) => {
    child.once('error', (error) => {
      resolve(`could not be run (${error.message})`);
    });
    child.once('exit', (code, signal) => {
      resolve(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`);
    });
  });
  killGroup(child);
  return end;
}

/** Resolves with `undefined` when the child is ready, with the reason when it takes too long. */
async function untilReady(
  child: ChildProcess,
  readiness: Readiness,
  signal: AbortSignal,
): Promise<string | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(READY_LIMIT)]);
  try {
    switch (readiness.kind) {
      case 'spawned':
        await once(child, 'spawn', { signal: limit });
        break;
      case 'message':
        await once(child, 'message', { signal: limit });
        break;
      case 'healthy':
        await untilHealthy(readiness.url, limit);
        break;
    }
    return undefined;
  } catch {
    return `was not ready within ${READY_LIMIT / 1000} s`;
  }
}

async function untilHealthy(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const answer = await fetch(url, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(POLL_LIMIT)]),
    }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok === true) {
      return;
    }
    await sleep(POLL_INTERVAL, undefined, { signal });
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) {
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is gone.
  }
}
