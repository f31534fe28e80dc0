/**
 * What a decision by a stream's policy costs inside workerd, with 200 entries in several shapes: CPU time of the
 * workerd process over batches, less that of an empty loop. `npm run bench:policy`
 */

import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { print, printMachine, quantile } from './report.ts';
import { startMeasuredWorker } from './workerd-cpu.ts';

const BATCHES = 15;
const DECISIONS = 10_000;

printMachine('CPU of one decision by policy inside workerd');
const worker = await startMeasuredWorker(fileURLToPath(new URL('policy-cost-worker.ts', import.meta.url)));
try {
  const names = z.array(z.string()).parse(JSON.parse((await worker.measure('/cases')).text));
  for (const name of names) {
    const costs: number[] = [];
    for (let batch = 0; batch <= BATCHES; batch += 1) {
      const empty = await worker.measure(`/nothing/${DECISIONS}`);
      const decided = await worker.measure(`/${encodeURIComponent(name)}/${DECISIONS}`);
      if (decided.text !== String(DECISIONS)) {
        throw new Error(`${name}: ${decided.text} of ${DECISIONS} allowed`);
      }
      // The first batch compiles the policy, and is what the compiler learns from.
      if (batch > 0) {
        costs.push((decided.microseconds - empty.microseconds) / DECISIONS);
      }
    }
    const [median, p95] = [quantile(costs, 0.5), quantile(costs, 0.95)].map((cost) => cost.toFixed(2));
    print(`${name.padEnd(30)} median ${median} µs, p95 of batches ${p95} µs`);
  }
} finally {
  await worker.stop();
}
