import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { parseStreamName } from '#shared/identifiers.ts';
import type { LeaseAnswer, LeaseRequest } from '#shared/wire/lease.ts';
import { createLog } from '../log.ts';
import { HttpError, type HttpSend } from '../publish/http-client.ts';
import { LeaseKeeper } from './lease-keeper.ts';

const askedSchema = z.object({ action: z.enum(['acquire', 'renew', 'release']) });
const LEASE_MS = 90;
const LONG_ENOUGH = { timeout: 5_000, interval: 5 };
const GRANTED: LeaseAnswer = { status: 'granted', epoch: 5, nextMsn: 3 };
const HELD: LeaseAnswer = { status: 'held', expiresInMs: 10 };

const keepers: LeaseKeeper[] = [];
afterEach(() => {
  keepers.splice(0).forEach((keeper) => keeper.letGo());
});

/** A keeper before a hub that answers each action as the test says; `undefined`: the hub is away. */
function setUp(answers: Partial<Record<LeaseRequest['action'], LeaseAnswer>>) {
  const asked: LeaseRequest['action'][] = [];
  const send: HttpSend = ({ body }) => {
    const { action } = askedSchema.parse(JSON.parse(new TextDecoder().decode(body)));
    asked.push(action);
    const answer = answers[action];
    if (answer === undefined) {
      return Promise.reject(new HttpError('unreachable', 'no hub'));
    }
    const status = answer.status === 'held' ? 409 : 200;
    return Promise.resolve({ status, headers: {}, body: new TextEncoder().encode(JSON.stringify(answer)) });
  };
  const stream = parseStreamName('cam');
  if (!stream.ok) {
    throw new Error('cam');
  }
  const lost = vi.fn<() => void>();
  const state = { progress: 0 };
  const retry = { baseMs: 1, maxMs: 1 };
  const keeper = new LeaseKeeper({
    question: {
      edgeUrl: new URL('http://edge.test'),
      serviceToken: 'token',
      stream: stream.value,
      send,
      retry,
    },
    origin: 'origin-a',
    leaseMs: LEASE_MS,
    progress: () => state.progress,
    onLost: lost,
    log: createLog({ level: 'silent', pretty: false, name: 'test' }),
  });
  keepers.push(keeper);
  return { keeper, answers, asked, lost, state };
}

describe('an origin', () => {
  it('stands by while another publishes, and takes over when it may', async () => {
    const { keeper, answers } = setUp({ acquire: HELD });
    const taking = keeper.take();
    await vi.waitFor(() => expect(keeper.phase).toBe('stand-by'), LONG_ENOUGH);
    answers.acquire = GRANTED;
    expect(await taking).toBe(true);
    expect(keeper.phase).toBe('held');
    expect(await keeper.position()).toEqual({ ok: true, value: GRANTED });
  });

  it('goes on without a lease where the hub is away, unless it has been told that another publishes', async () => {
    const { keeper } = setUp({});
    expect(await keeper.take()).toBe(true);
    expect(keeper.phase).toBe('assumed');
    const waiting = setUp({ acquire: HELD });
    const taking = waiting.keeper.take();
    await vi.waitFor(() => expect(waiting.keeper.phase).toBe('stand-by'), LONG_ENOUGH);
    const before = waiting.asked.length;
    delete waiting.answers.acquire;
    await vi.waitFor(() => expect(waiting.asked.length).toBeGreaterThan(before + 1), LONG_ENOUGH);
    expect(waiting.keeper.phase).toBe('stand-by');
    waiting.keeper.letGo();
    expect(await taking).toBe(false);
  });

  it('renews while it publishes nothing, and not while it does', async () => {
    const { keeper, asked, state } = setUp({ acquire: GRANTED, renew: { status: 'renewed' } });
    await keeper.take();
    await vi.waitFor(() => expect(asked).toContain('renew'), LONG_ENOUGH);
    const publishing = setInterval(() => (state.progress += 1), 1);
    await new Promise((resolve) => setTimeout(resolve, LEASE_MS));
    const renewals = asked.length;
    await new Promise((resolve) => setTimeout(resolve, LEASE_MS));
    clearInterval(publishing);
    expect(asked.length - renewals).toBeLessThan(2);
  });

  it('tells once when another has taken over, whichever answer says so', async () => {
    const renewing = setUp({ acquire: GRANTED, renew: HELD });
    await renewing.keeper.take();
    renewing.answers.acquire = HELD;
    await vi.waitFor(() => expect(renewing.lost).toHaveBeenCalledTimes(1), LONG_ENOUGH);
    renewing.keeper.lose();
    expect(renewing.lost).toHaveBeenCalledTimes(1);
    const starting = setUp({ acquire: GRANTED });
    await starting.keeper.take();
    starting.answers.acquire = HELD;
    expect(await starting.keeper.position()).toEqual({ ok: true, value: undefined });
    expect(starting.lost).toHaveBeenCalledTimes(1);
  });

  it('may end its stream where nobody goes on with it, or nobody can be asked', async () => {
    const { keeper, answers } = setUp({ release: { status: 'released', mayEnd: false } });
    expect(await keeper.release(true)).toBe(false);
    answers.release = { status: 'released', mayEnd: true };
    expect(await keeper.release(true)).toBe(true);
    delete answers.release;
    expect(await keeper.release(true)).toBe(true);
  });
});
