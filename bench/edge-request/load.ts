/** Load of many kept-alive connections from one core, with wrk. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { PinnedProcess } from './pinned-process.ts';

const CONNECTIONS = 32;
/** Bytes of output that are read at most. */
const MAX_OUTPUT = 65_536;
const run = promisify(execFile);

/** One thing that is asked for again and again. */
export interface LoadTarget {
  readonly process: PinnedProcess;
  /** Which of its processes serve; others stand by. */
  readonly serving?: RegExp;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a server did under load. */
export interface LoadResult {
  readonly perSecond: number;
  /** User and system time of the serving processes per request, microseconds. */
  readonly cpuMicroseconds: number;
  /** The same of all its other processes. */
  readonly besideMicroseconds: number;
  /** Share of its core that the server used; below about 0.9 the load was the bound. */
  readonly busy: number;
}

/** Asks as fast as one core can for some seconds; throws when an answer is not 200. */
export async function applyLoad(core: number, target: LoadTarget, seconds: number): Promise<LoadResult> {
  const headers = Object.entries(target.headers ?? {}).flatMap(([name, value]) => [
    '-H',
    `${name}: ${value}`,
  ]);
  const wrk = ['wrk', '-t1', `-c${CONNECTIONS}`, `-d${seconds}`, '--timeout', '10', ...headers, target.url];
  const serving = (): number => target.process.cpuSeconds(target.serving);
  const before = { serving: serving(), all: target.process.cpuSeconds() };
  const { stdout } = await run('taskset', ['-c', String(core), ...wrk], { maxBuffer: MAX_OUTPUT });
  const cpu = serving() - before.serving;
  const all = target.process.cpuSeconds() - before.all;
  const [, requests = '0', elapsed = ''] = /(\d+) requests in ([\d.]+)s/.exec(stdout) ?? [];
  if (/Non-2xx|Socket errors/.test(stdout) || Number(requests) === 0) {
    throw new Error(`not every answer came as a success:\n${stdout}`);
  }
  const perRequest = (used: number): number => (used * 1e6) / Number(requests);
  return {
    perSecond: Number(requests) / Number(elapsed),
    cpuMicroseconds: perRequest(cpu),
    besideMicroseconds: perRequest(all - cpu),
    busy: cpu / Number(elapsed),
  };
}
