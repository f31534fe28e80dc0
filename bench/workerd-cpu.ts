/** CPU time of work inside workerd. Time stands still inside of a request there, so the clock is out here. */

import { readdirSync, readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { listDescendants } from '../test/support/process-usage.ts';

/** A Worker whose `fetch` does the work that a path names. */
export interface MeasuredWorker {
  /** CPU of one request, microseconds: of all threads of workerd, as the scheduler counts it; with the answer's text. */
  measure(
    path: string,
    method?: 'GET' | 'POST',
  ): Promise<{ readonly microseconds: number; readonly text: string }>;
  stop(): Promise<void>;
}

/** Starts workerd with one Worker, bundled from a file. */
export async function startMeasuredWorker(entry: string): Promise<MeasuredWorker> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      cf: {},
      telemetry: { enabled: false },
      workers: [
        {
          name: 'measured',
          compatibilityDate: '2026-11-01',
          modules: [{ type: 'ESModule', path: 'worker.mjs', contents: await bundle(entry) }],
        },
      ],
    }),
  );
  const url = await miniflare.ready;
  const workerd = findWorkerd();
  return {
    measure: async (path, method = 'GET') => {
      const before = cpuNanoseconds(workerd);
      const text = await (await fetch(new URL(path, url), { method })).text();
      return { microseconds: (cpuNanoseconds(workerd) - before) / 1000, text };
    },
    stop: () => miniflare.dispose(),
  };
}

function cpuNanoseconds(processId: number): number {
  const tasks = readdirSync(`/proc/${processId}/task`);
  return tasks.reduce((sum, task) => {
    const [running] = readFileSync(`/proc/${processId}/task/${task}/schedstat`, 'utf8').split(' ');
    return sum + Number(running);
  }, 0);
}

function findWorkerd(): number {
  const found = listDescendants(process.pid).find(({ command }) => /workerd.* serve/.test(command));
  if (found === undefined) {
    throw new Error('no workerd among the processes of this one');
  }
  return found.processId;
}

async function bundle(entry: string): Promise<string> {
  const built = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*'],
  });
  return built.outputFiles[0]?.text ?? '';
}
