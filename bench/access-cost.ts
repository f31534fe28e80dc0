/**
 * What judging a token costs inside workerd, for one that is known and for one that is seen for the first time:
 * CPU time of the workerd process over many batches, less that of an empty loop. `npm run bench:access`
 */

import { fileURLToPath } from 'node:url';
import { print, printMachine, quantile } from './report.ts';
import { startMeasuredWorker } from './workerd-cpu.ts';

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
const worker = await startMeasuredWorker(fileURLToPath(new URL('access-cost-worker.ts', import.meta.url)));
try {
  for (const [name, batch] of CASES) {
    await measure(name, batch);
  }
} finally {
  await worker.stop();
}

async function measure(name: string, batch: number): Promise<void> {
  const costs: number[] = [];
  for (let index = 0; index <= BATCHES; index++) {
    const empty = await worker.measure(`nothing/${batch}`);
    await worker.measure(`${name}/${batch}`, 'POST');
    const judged = await worker.measure(`${name}/${batch}`);
    if (judged.text !== String(batch)) {
      throw new Error(`${name}: ${judged.text} of ${batch} granted`);
    }
    // The first batch is what the compiler learns from.
    if (index > 0) {
      costs.push((judged.microseconds - empty.microseconds) / batch);
    }
  }
  const [median, p95] = [quantile(costs, 0.5), quantile(costs, 0.95)].map((cost) => cost.toFixed(1));
  print(`${name.padEnd(18)} median ${median} µs, p95 of batches ${p95} µs (${BATCHES} batches of ${batch})`);
}
