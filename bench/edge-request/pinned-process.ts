/** Processes that are held to one core, and what they cost. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { listDescendants } from '../../test/support/process-usage.ts';

/** Longest wait for a server to take connections, milliseconds. */
const START_LIMIT_MS = 30_000;
/** Longest wait for a process to end by itself, milliseconds. */
const STOP_LIMIT_MS = 5_000;
const POLL_MS = 50;

/** A server that runs on one core. */
export interface PinnedProcess {
  readonly child: ChildProcess;
  /** User and system time of its processes whose command line matches, seconds. */
  cpuSeconds(matching?: RegExp): number;
  stop(): Promise<void>;
}

/** Starts a command and all that it starts on one core. */
export function startPinned(
  core: number,
  command: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): PinnedProcess {
  const child = spawn('taskset', ['-c', String(core), ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const processId = child.pid ?? -1;
  return {
    child,
    cpuSeconds: (matching = /./) =>
      listDescendants(processId)
        .filter((one) => matching.test(one.command))
        .reduce((sum, one) => sum + one.cpuSeconds, 0),
    stop: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const ended = once(child, 'exit');
  // A launcher that is ended leaves what it started behind.
  for (const { processId } of listDescendants(child.pid ?? -1)) {
    endProcess(processId);
  }
  const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(limit);
}

function endProcess(processId: number): void {
  try {
    process.kill(processId, 'SIGTERM');
  } catch {
    // It has ended with the one before it.
  }
}

/** Finds a port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Waits until something answers HTTP; whatever it answers. */
export async function untilAnswering(url: string): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(`nothing answers at ${url}`, { cause: error });
      }
      await sleep(POLL_MS);
    }
  }
}
