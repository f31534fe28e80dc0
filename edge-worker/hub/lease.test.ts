import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LeaseAnswer, LeaseRequest } from '#shared/wire/lease.ts';
import { checkPublish, decideLease, NO_LEASE, type LeaseState } from './lease.ts';
import type { LiveWindow } from './live-window.ts';
import { nextMsnOf } from './live-window.ts';
import { takeUpdate } from './take-update.ts';
import { begin, framesOf, init, part, segment, type Unnumbered } from './window-fixture.ts';

const LEASE_MS = 3_000;
const NOW = 1_800_000_000_000;
const A = 'origin-a';
const B = 'origin-b';

/** A hub's decisions one after the other. */
function desk(start: LeaseState = NO_LEASE) {
  let state = start;
  const ask = (request: LeaseRequest, at = 0) => {
    const decision = decideLease(state, request, { now: NOW + at, latestEpoch: 0, nextMsn: 7 });
    ({ state } = decision);
    return decision;
  };
  return {
    acquire: (origin: string, at = 0) => ask({ action: 'acquire', origin, leaseMs: LEASE_MS }, at).answer,
    renew: (origin: string, at = 0) => ask({ action: 'renew', origin, leaseMs: LEASE_MS }, at).answer,
    release: (origin: string, goodbye: boolean, at = 0) => ask({ action: 'release', origin, goodbye }, at),
    publish: (origin: string | undefined, epoch: number, at = 0) =>
      checkPublish(state.lease, origin && { origin, leaseMs: LEASE_MS }, epoch, NOW + at).kind,
  };
}

function epochOf(answer: LeaseAnswer): number {
  return answer.status === 'granted' ? answer.epoch : Number.NaN;
}

describe('a lease', () => {
  it('is granted to one origin, and to the other once its time is over', () => {
    const hub = desk();
    expect(hub.acquire(A)).toEqual({ status: 'granted', epoch: NOW / 1000, nextMsn: 7 });
    expect(hub.acquire(B, 1_000)).toEqual({ status: 'held', expiresInMs: 2_000 });
    expect(hub.acquire(B, LEASE_MS)).toMatchObject({ status: 'granted', nextMsn: 7 });
    expect(hub.renew(A, LEASE_MS)).toEqual({ status: 'held', expiresInMs: LEASE_MS });
  });

  it('is kept by renewals, and by one that comes late while nobody has taken over', () => {
    const hub = desk();
    hub.acquire(A);
    expect(hub.renew(A, 2_900)).toEqual({ status: 'renewed' });
    expect(hub.acquire(B, 5_000)).toMatchObject({ status: 'held' });
    expect(hub.renew(A, 60_000)).toEqual({ status: 'renewed' });
    expect(hub.acquire(B, 60_001)).toMatchObject({ status: 'held' });
  });

  it('refuses what an earlier holder publishes, and has it ask again when nobody publishes any more', () => {
    const hub = desk();
    const first = epochOf(hub.acquire(A));
    hub.acquire(B, LEASE_MS);
    expect(hub.publish(A, first, LEASE_MS + 1)).toBe('fenced');
    expect(hub.publish(A, first + 1_000_000, LEASE_MS + 1)).toBe('fenced');
    expect(hub.publish(undefined, first, LEASE_MS + 1)).toBe('fenced');
    expect(hub.publish(A, first, 10 * LEASE_MS)).toBe('lapsed');
    expect(epochOf(hub.acquire(A, 10 * LEASE_MS))).toBeGreaterThan(first);
    expect(hub.publish(A, first, 10 * LEASE_MS)).toBe('lapsed');
  });

  it('gives no epoch twice, and a new holder one that the one before cannot count up to', () => {
    const hub = desk();
    const first = epochOf(hub.acquire(A));
    expect(epochOf(hub.acquire(A))).toBe(first + 1);
    hub.release(A, false);
    expect(epochOf(hub.acquire(B))).toBe(first + 1_001);
  });

  it('lets the last origin end the stream, and hands it to one that stands by', () => {
    const alone = desk();
    alone.acquire(A);
    expect(alone.release(A, true)).toMatchObject({ answer: { mayEnd: true }, end: false });
    const both = desk();
    both.acquire(A);
    both.acquire(B);
    expect(both.release(A, true)).toMatchObject({ answer: { mayEnd: false }, end: false });
    expect(both.acquire(B)).toMatchObject({ status: 'granted' });
    expect(both.release(A, true)).toMatchObject({ answer: { mayEnd: false }, end: false });
  });

  it('ends the stream when the origin that stood by goes after the other has said goodbye', () => {
    const hub = desk();
    hub.acquire(A);
    hub.acquire(B);
    hub.release(A, true);
    expect(hub.release(B, true)).toMatchObject({ end: true });
  });

  it('forgets an origin that has stood by and asks no more', () => {
    const hub = desk();
    hub.acquire(A);
    hub.acquire(B);
    expect(hub.release(A, true, 2_500)).toMatchObject({ answer: { mayEnd: true } });
  });
});

/** A request on its way, with what its answer means to its sender. */
type Message = (now: number) => void;

/** A publisher that follows the protocol as far as its network and its process let it. */
class ModelOrigin {
  readonly name: string;
  epoch: number | undefined;
  seq = 0;
  msn = 0;
  alive = true;
  readonly #hub: ModelHub;

  constructor(name: string, hub: ModelHub) {
    this.name = name;
    this.#hub = hub;
  }

  /** The next thing that it says. */
  step(): Message {
    return this.epoch === undefined ? this.#acquire() : this.#publish(this.epoch);
  }

  #acquire(): Message {
    return (now) => {
      const answer = this.#hub.ask({ action: 'acquire', origin: this.name, leaseMs: LEASE_MS }, now);
      if (answer.status === 'granted') {
        this.epoch = answer.epoch;
        this.seq = 0;
        this.msn = answer.nextMsn;
      }
    };
  }

  #publish(epoch: number): Message {
    const updates: Unnumbered[] =
      this.seq === 0
        ? [begin(this.msn, ['v']), init('v'), part('v', this.msn, 0)]
        : [...segment('v', this.msn).slice(1), part('v', this.msn + 1, 0)];
    const { seq } = this;
    this.seq += updates.length;
    this.msn += seq === 0 ? 0 : 1;
    return (now) => {
      const taken = this.#hub.publish(this.name, epoch, { updates, seq }, now);
      if (!taken && this.epoch === epoch) {
        this.epoch = undefined;
      }
    };
  }
}

/** The hub's own code, with a record of what it took. */
class ModelHub {
  readonly taken: {
    readonly origin: string;
    readonly epoch: number;
    readonly msn: number;
    readonly part: number;
  }[] = [];
  #state: LeaseState = NO_LEASE;
  #window: LiveWindow | undefined;
  /** Who was granted the lease last. */
  #holder: string | undefined;

  ask(request: LeaseRequest, now: number): LeaseAnswer {
    const moment = { now, latestEpoch: this.#window?.epoch ?? 0, nextMsn: nextMsnOf(this.#window) };
    const { state, answer } = decideLease(this.#state, request, moment);
    this.#state = state;
    this.#holder = answer.status === 'granted' ? request.origin : this.#holder;
    return answer;
  }

  publish(
    origin: string,
    epoch: number,
    { updates, seq }: { readonly updates: readonly Unnumbered[]; readonly seq: number },
    now: number,
  ): boolean {
    const check = checkPublish(this.#state.lease, { origin, leaseMs: LEASE_MS }, epoch, now);
    if (check.kind !== 'ours') {
      return false;
    }
    this.#state = { ...this.#state, lease: check.lease };
    for (const { update, payload } of framesOf(updates, seq)) {
      const step = takeUpdate(this.#window, epoch, update, payload.length);
      if (step.kind === 'refused') {
        return false;
      }
      if (step.kind === 'taken') {
        this.#window = step.window;
        expect(origin).toBe(this.#holder);
        if (update.kind === 'part') {
          this.taken.push({ origin, epoch, msn: update.msn, part: update.part });
        }
      }
    }
    return true;
  }
}

const event = fc.record({
  origin: fc.constantFrom(A, B),
  kind: fc.constantFrom('say', 'say', 'say', 'deliver', 'deliver', 'deliver', 'lose', 'die', 'start'),
  pick: fc.nat(5),
  wait: fc.constantFrom(0, 100, 500, 2_000, 4_000),
});

describe('two origins that send, are late, lose messages, die and come back', () => {
  it('publish one after the other in the order of their epochs, and no segment number twice', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), (events) => {
        const hub = new ModelHub();
        const origins = new Map([A, B].map((name) => [name, new ModelOrigin(name, hub)]));
        const network: Message[] = [];
        let now = NOW;
        for (const { origin: name, kind, pick, wait } of events) {
          now += wait;
          const origin = origins.get(name);
          if (kind === 'start' && origin?.alive === false) {
            origins.set(name, new ModelOrigin(name, hub));
          } else if (kind === 'die' && origin !== undefined) {
            origin.alive = false;
          } else if (kind === 'say' && origin?.alive === true) {
            network.push(origin.step());
          } else if (kind === 'deliver') {
            network.splice(pick % Math.max(network.length, 1), 1).forEach((message) => message(now));
          } else if (kind === 'lose') {
            network.splice(pick % Math.max(network.length, 1), 1);
          }
        }
        expectOneAfterTheOther(hub.taken);
      }),
      { numRuns: 400 },
    );
  });
});

function expectOneAfterTheOther(taken: ModelHub['taken']): void {
  const ownerOf = new Map<number, string>();
  const parts = new Set<string>();
  taken.forEach(({ origin, epoch, msn, part }, index) => {
    const before = taken[index - 1];
    expect(ownerOf.get(epoch) ?? origin).toBe(origin);
    ownerOf.set(epoch, origin);
    expect(parts.has(`${msn}.${part}`)).toBe(false);
    parts.add(`${msn}.${part}`);
    if (before !== undefined) {
      expect(epoch).toBeGreaterThanOrEqual(before.epoch);
      expect(epoch === before.epoch ? msn - before.msn : 1).toBeLessThanOrEqual(1);
      expect(msn).toBe(epoch === before.epoch && part > 0 ? before.msn : before.msn + 1);
    }
  });
}
