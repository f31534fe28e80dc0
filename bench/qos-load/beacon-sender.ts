/**
 * Viewers that report, as a process of its own: they would be elsewhere, so they wait for everything else here.
 * Takes an {@link Order} as an IPC message, answers with a {@link Sent}.
 */

import { Agent, request } from 'node:http';
import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { orderSchema, type Order, type Sent } from './messages.ts';

/** Viewers do not report in bursts. */
const TICK_MS = 2;
const SESSIONS = 5_000;
const MAX_SOCKETS = 64;

setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
/** Beacons so far: each event of a session has a number of its own. */
let numbered = 0;

process.on('message', (message) => {
  void send(orderSchema.parse(message)).then((sent) => process.send?.(sent));
});
process.once('disconnect', () => {
  agent.destroy();
});

async function send({ address, rate, seconds }: Order): Promise<Sent> {
  const url = new URL(address);
  const statuses: Record<string, number> = {};
  const times: number[] = [];
  const began = performance.now();
  let sent = 0;
  while (performance.now() - began < seconds * 1000) {
    const due = Math.floor(((performance.now() - began) / 1000) * rate);
    for (; sent < due; sent += 1) {
      post(url, numbered, (status, ms) => {
        times.push(ms);
        statuses[status] = (statuses[status] ?? 0) + 1;
      });
      numbered += 1;
    }
    await sleep(TICK_MS);
  }
  while (times.length < sent) {
    await sleep(TICK_MS);
  }
  return { sent, statuses, times };
}

function post(url: URL, number: number, finish: (status: number, ms: number) => void): void {
  const now = Date.now();
  const about = {
    v: 1,
    session: `s${number % SESSIONS}`,
    stream: 'show',
    player: 'load',
    playerVersion: '1',
  };
  const event = { event: 'session_start', at: now, seq: Math.floor(number / SESSIONS) };
  const body = JSON.stringify({ ...about, sentAt: now, events: [event] });
  const start = performance.now();
  const headers = { 'content-type': 'text/plain' };
  const call = request(url, { method: 'POST', agent, headers }, (answer) => {
    answer.resume();
    answer.once('end', () => finish(answer.statusCode ?? 0, performance.now() - start));
  });
  call.once('error', () => finish(0, performance.now() - start));
  call.end(body);
}
