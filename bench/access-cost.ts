/**
 * What judging a token costs inside workerd, for one that is known and for one that is seen for the first time:
 * CPU time of the workerd process over many batches, less that of an empty loop. `npm run bench:access`
 */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { listDescendants } from '../test/support/process-usage.ts';
import { print, printMachine, quantile } from './report.ts';

const BATCHES = 15;
/** Tokens in a batch; the verifier remembers 2000. */
const FIRST_SEEN = 500;
const KNOWN = 5000;
const CASES: readonly (readonly [string, number])[] = [
  ['request', KNOWN],
  ['jwt-HS256-known', KNOWN],
  ['cat-ES256-known', KNOWN],
  ['jwt-HS256-first', FIRST_SEEN],
  ['jwt-ES256-first', FIRST_SEEN],
  ['jwt-RS256-first', FIRST_SEEN],
  ['jwt-EdDSA-first', FIRST_SEEN],
  ['cat-HS256-first', FIRST_SEEN],
  ['cat-ES256-first', FIRST_SEEN],
];

printMachine('CPU of judging one token (signature, claims, grant) inside workerd');
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    cf: {},
    telemetry: { enabled: false },
    workers: [
      {
        name: 'access-cost',
        compatibilityDate: '2026-11-01',
        modules: [{ type: 'ESModule', path: 'worker.mjs', contents: await bundle() }],
      },
    ],
  }),
);
try {
  const url = await miniflare.ready;
  const workerd = findWorkerd();
  for (const [name, batch] of CASES) {
    await measure(url, workerd, name, batch);
  }
} finally {
  await miniflare.dispose();
}

async function measure(url: URL, workerd: number, name: string, batch: number): Promise<void> {
  const ask = async (path: string, method: 'GET' | 'POST'): Promise<string> =>
    (await fetch(new URL(`${path}/${batch}`, url), { method })).text();
  const costs: number[] = [];
  for (let index = 0; index <= BATCHES; index++) {
    const empty = await cpuOf(workerd, () => ask('nothing', 'GET'));
    await ask(name, 'POST');
    const judged = await cpuOf(workerd, async () => {
      const granted = await ask(name, 'GET');
      if (granted !== String(batch)) {
        throw new Error(`${name}: ${granted} of ${batch} granted`);
      }
    });
    // The first batch is what the compiler learns from.
    if (index > 0) {
      costs.push((judged - empty) / batch / 1000);
    }
  }
  const [median, p95] = [quantile(costs, 0.5), quantile(costs, 0.95)].map((cost) => cost.toFixed(1));
  print(`${name.padEnd(18)} median ${median} µs, p95 of batches ${p95} µs (${BATCHES} batches of ${batch})`);
}

/** CPU time of a process while something is done, nanoseconds: of all its threads, as the scheduler counts it. */
async function cpuOf(processId: number, act: () => Promise<unknown>): Promise<number> {
  const before = cpuTime(processId);
  await act();
  return cpuTime(processId) - before;
}

function cpuTime(processId: number): number {
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

async function bundle(): Promise<string> {
  const built = await build({
    entryPoints: [fileURLToPath(new URL('./access-cost-worker.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'browser'],
    external: ['cloudflare:*'],
  });
  return built.outputFiles[0]?.text ?? '';
}
