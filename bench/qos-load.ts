/** Beacons at a rate against an edge and the embedded engine, and whether all came out: `node bench/qos-load.ts [rate] [seconds]`. */

import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'node:http';
import { startChdbEdge } from '../test/qos/chdb-edge.ts';

const RATE = Number(process.argv[2] ?? 2_000);
const SECONDS = Number(process.argv[3] ?? 60);
const TICK_MS = 20;
const SESSIONS = 5_000;

interface Row {
  readonly [name: string]: number;
}

const system = await startChdbEdge();
const token = await system.edge.sign({ stream: 'show', sub: 'load' });
const address = new URL(`${system.edge.url}/beacon?token=${token}`);
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const statuses = new Map<number, number>();
const times: number[] = [];
const progress = { sent: 0, done: 0 };

const began = performance.now();
while (performance.now() - began < SECONDS * 1000) {
  const due = Math.floor(((performance.now() - began) / 1000) * RATE);
  while (progress.sent < due) {
    post(progress.sent);
    progress.sent += 1;
  }
  await sleep(TICK_MS);
}
const sending = (performance.now() - began) / 1000;
while (progress.done < progress.sent) {
  await sleep(TICK_MS);
}
const answered = (performance.now() - began) / 1000;
const taken = statuses.get(204) ?? 0;
const rows = await system.until<Row>('/v1/qos/sessions?stream=show', (all) => all[0]?.['attempts'] === taken);
times.sort((one, other) => one - other);
const at = (share: number): string => (times[Math.floor(times.length * share)] ?? Number.NaN).toFixed(1);
print(
  `sent ${progress.sent} in ${sending.toFixed(1)} s, answered after ${answered.toFixed(1)} s: ${JSON.stringify([...statuses])}`,
);
print(
  `rows ${rows[0]?.['attempts']}, last of them seen ${((performance.now() - began) / 1000 - answered).toFixed(1)} s after`,
);
print(`answer p50 ${at(0.5)} ms, p95 ${at(0.95)} ms; ${await (await system.ask('/v1/qos/status')).text()}`);
await system.stop();
agent.destroy();

function post(number: number): void {
  const now = Date.now();
  const body = JSON.stringify({
    ...{
      v: 1,
      session: `s${number % SESSIONS}`,
      stream: 'show',
      player: 'load',
      playerVersion: '1',
      sentAt: now,
    },
    events: [{ event: 'session_start', at: now, seq: Math.floor(number / SESSIONS) }],
  });
  const start = performance.now();
  const finish = (status: number): void => {
    progress.done += 1;
    times.push(performance.now() - start);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  const call = request(
    address,
    { method: 'POST', agent, headers: { 'content-type': 'text/plain' } },
    (answer) => {
      answer.resume();
      answer.once('end', () => finish(answer.statusCode ?? 0));
    },
  );
  call.once('error', () => finish(0));
  call.end(body);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
