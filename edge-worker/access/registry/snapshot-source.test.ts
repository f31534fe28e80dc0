import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { INITIAL_STATE } from './registry-change.ts';
import { SnapshotSource } from './snapshot-source.ts';

const MINUTE = 60_000;

/** A registry that answers, refuses or never answers, a clock, and the source that asks it. */
class Isolate {
  now = 1_800_000_000_000;
  version = 1;
  isAway = false;
  asked: string[] = [];
  background: Promise<unknown>[] = [];
  readonly source = new SnapshotSource();

  async current(): Promise<number | string> {
    const current = await this.source.current({
      ask: async (path) => {
        this.asked.push(path);
        if (this.isAway) {
          return new Response(null, { status: 503 });
        }
        return Response.json(path === '/version' ? { version: this.version } : this.#snapshot());
      },
      now: () => this.now,
      waitUntil: (work) => {
        this.background.push(work);
      },
    });
    return current.ok ? current.value.version : current.failure.reason;
  }

  /** Lets the work go on that outlives its request; tells what the registry was asked. */
  async settle(): Promise<string[]> {
    await Promise.all(this.background.splice(0));
    return this.asked.splice(0);
  }

  #snapshot(): typeof INITIAL_STATE {
    return { ...INITIAL_STATE, version: this.version };
  }
}

let logged: string[];

beforeEach(() => {
  logged = [];
  const note = (line: string): void => {
    logged.push(line);
  };
  vi.spyOn(console, 'error').mockImplementation(note);
  vi.spyOn(console, 'info').mockImplementation(note);
});

afterEach(() => {
  vi.restoreAllMocks();
});

it('reads the registry once, then answers from memory for two seconds', async () => {
  const isolate = new Isolate();
  expect(await isolate.current()).toBe(1);
  isolate.now += 1_999;
  expect([await isolate.current(), await isolate.current()]).toEqual([1, 1]);
  expect(await isolate.settle()).toEqual(['/version', '/snapshot/1']);
});

it('then compares versions in the background, one request of many, and reads what has changed', async () => {
  const isolate = new Isolate();
  await isolate.current();
  await isolate.settle();
  isolate.now += 2_000;
  expect([await isolate.current(), await isolate.current()]).toEqual([1, 1]);
  expect(await isolate.settle()).toEqual(['/version']);
  isolate.version = 2;
  isolate.now += 2_000;
  expect(await isolate.current()).toBe(1);
  expect(await isolate.settle()).toEqual(['/version', '/snapshot/2']);
  expect(await isolate.current()).toBe(2);
});

it('does not answer by what it knew five seconds ago: the request waits', async () => {
  const isolate = new Isolate();
  await isolate.current();
  isolate.version = 2;
  isolate.now += 5_000;
  expect(await isolate.current()).toBe(2);
});

it('never goes back to an older version that a cache still has', async () => {
  const isolate = new Isolate();
  isolate.version = 7;
  await isolate.current();
  isolate.version = 6;
  isolate.now += 10_000;
  expect(await isolate.current()).toBe(7);
});

it('goes on with the last known for an hour while the registry is away, then refuses', async () => {
  const isolate = new Isolate();
  await isolate.current();
  isolate.isAway = true;
  isolate.now += 59 * MINUTE;
  expect(await isolate.current()).toBe(1);
  isolate.now += 2 * MINUTE;
  expect(await isolate.current()).toBe('access-unavailable');
  isolate.isAway = false;
  isolate.now += 2_000;
  expect(await isolate.current()).toBe(1);
  expect(logged.map((line) => String(JSON.parse(line).event))).toEqual([
    'access-registry-away',
    'access-registry-back',
  ]);
});

it('asks a registry that is away once in two seconds, however many requests there are', async () => {
  const isolate = new Isolate();
  await isolate.current();
  isolate.isAway = true;
  isolate.now += 10_000;
  await isolate.current();
  await isolate.settle();
  isolate.now += 1_000;
  for (let request = 0; request < 10; request += 1) {
    expect(await isolate.current()).toBe(1);
  }
  expect(await isolate.settle()).toEqual([]);
});

it('refuses while nothing has ever been read, and says so in one line', async () => {
  const isolate = new Isolate();
  isolate.isAway = true;
  for (let second = 0; second < 10; second += 1) {
    expect(await isolate.current()).toBe('access-unavailable');
    isolate.now += 1_000;
  }
  expect(logged).toHaveLength(1);
});

it('does not take what is no snapshot', async () => {
  const source = new SnapshotSource();
  const current = await source.current({
    ask: async (path) => Response.json(path === '/version' ? { version: 1 } : { version: 1 }),
    now: () => 0,
    waitUntil: () => undefined,
  });
  expect(current.ok).toBe(false);
});
