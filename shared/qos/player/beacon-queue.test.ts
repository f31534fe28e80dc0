import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BeaconEvent } from '../beacon.ts';
import { BeaconQueue, readOutcome } from './beacon-queue.ts';

function event(seq: number, more: Partial<BeaconEvent> = {}): BeaconEvent {
  return { event: 'heartbeat', at: seq, seq, watchedMs: 10, ...more };
}

/** Everything that a queue still has, batch by batch. */
function drain(queue: BeaconQueue): readonly BeaconEvent[] {
  const all: BeaconEvent[] = [];
  while (queue.size > 0) {
    const batch = queue.batch();
    all.push(...batch);
    queue.remove(batch);
  }
  return all;
}

describe('the queue of a session', () => {
  it('keeps a batch until it has arrived', () => {
    const queue = new BeaconQueue();
    queue.add(event(0));
    expect(queue.batch()).toEqual([event(0)]);
    queue.add(event(1));
    expect(queue.batch()).toEqual([event(0), event(1)]);
  });

  it('is bounded, and what goes leaves its increments to the next', () => {
    const queue = new BeaconQueue();
    queue.add(event(0, { event: 'session_start' }));
    for (let seq = 1; seq < 2_000; seq += 1) {
      queue.add(event(seq));
    }
    const all = drain(queue);
    expect(all.length).toBe(300);
    expect(all[0]?.event).toBe('session_start');
    expect(all.reduce((sum, { watchedMs = 0 }) => sum + watchedMs, 0)).toBe(20_000);
  });

  it('never tells the increments of an event twice that may have arrived', () => {
    const queue = new BeaconQueue();
    queue.add(event(0));
    queue.batch();
    for (let seq = 1; seq <= 300; seq += 1) {
      queue.add(event(seq));
    }
    const all = drain(queue);
    expect(all[0]).toEqual(event(0));
    expect(all.reduce((sum, { watchedMs = 0 }) => sum + watchedMs, 0)).toBe(3_010);
  });

  it('makes batches that the edge takes, of at most 100 events and 64 KiB, and loses none', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2_000), { maxLength: 250 }), (lengths) => {
        const queue = new BeaconQueue();
        lengths.forEach((length, seq) => queue.add(event(seq, { detail: 'x'.repeat(length) })));
        const seen: number[] = [];
        while (queue.size > 0) {
          const batch = queue.batch();
          expect(batch.length).toBeLessThanOrEqual(100);
          expect(JSON.stringify(batch).length).toBeLessThan(64 * 1024);
          seen.push(...batch.map(({ seq }) => seq));
          queue.remove(batch);
        }
        expect(seen).toEqual(lengths.map((_, seq) => seq));
      }),
      { numRuns: 50 },
    );
  });
});

describe('the answer to a beacon', () => {
  const read = (
    status: number | undefined,
    retryAfterSeconds = 0,
    failures = 0,
  ): ReturnType<typeof readOutcome> => readOutcome({ status, retryAfterSeconds, failures, random: 1 });

  it.each([
    [200, 'done'],
    [204, 'done'],
    [400, 'done'],
    [413, 'done'],
    [401, 'stop'],
    [403, 'stop'],
    [404, 'stop'],
    [410, 'stop'],
    [429, 'retry'],
    [500, 'retry'],
    [503, 'retry'],
    [undefined, 'retry'],
  ])('%s means %s', (status, kind) => {
    expect(read(status).kind).toBe(kind);
  });

  it('waits as long as the edge asks for, within an hour', () => {
    expect(read(429, 30)).toEqual({ kind: 'retry', afterMs: 30_000, asked: true });
    expect(read(503, 1e9)).toEqual({ kind: 'retry', afterMs: 3_600_000, asked: true });
    expect(read(429, Number.NaN)).toEqual({ kind: 'retry', afterMs: 1_000, asked: true });
  });

  it('waits longer with each failure in a row, spread over half of it, a minute at most', () => {
    const waits = [0, 1, 2, 3, 50].map((failures) => read(undefined, 0, failures));
    expect(waits.map((wait) => (wait.kind === 'retry' ? wait.afterMs : 0))).toEqual([
      1e3, 2e3, 4e3, 8e3, 6e4,
    ]);
    const early = readOutcome({ status: undefined, retryAfterSeconds: 0, failures: 1, random: 0 });
    expect(early).toEqual({ kind: 'retry', afterMs: 1_000, asked: false });
  });
});
