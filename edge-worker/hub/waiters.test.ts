import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Waiters } from './waiters.ts';

describe('held requests', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('are released together when their condition is settled, and no others', async () => {
    const waiters = new Waiters<number>(10);
    const first = [waiters.hold('1', 1, 100), waiters.hold('1', 1, 100)];
    const other = waiters.hold('2', 2, 100);
    waiters.release((condition) => condition === 1);
    expect(await Promise.all(first)).toEqual(['released', 'released']);
    expect(waiters.count).toBe(1);
    vi.advanceTimersByTime(100);
    expect(await other).toBe('timed-out');
    expect(waiters.count).toBe(0);
  });

  it('time out each at their own deadline', async () => {
    const waiters = new Waiters<number>(10);
    const early = waiters.hold('1', 1, 100);
    vi.advanceTimersByTime(60);
    const late = waiters.hold('1', 1, 100);
    vi.advanceTimersByTime(60);
    expect(await early).toBe('timed-out');
    expect(waiters.count).toBe(1);
    vi.advanceTimersByTime(60);
    expect(await late).toBe('timed-out');
  });

  it('time out in time although others are held longer', async () => {
    const waiters = new Waiters<number>(10);
    void waiters.hold('long', 1, 1_000);
    const short = waiters.hold('short', 2, 50);
    vi.advanceTimersByTime(50);
    expect(await short).toBe('timed-out');
    expect(waiters.count).toBe(1);
  });

  it('are no more than the limit', async () => {
    const waiters = new Waiters<number>(1);
    const held = waiters.hold('1', 1, 100);
    expect(await waiters.hold('1', 1, 100)).toBe('too-many');
    waiters.release(() => true);
    expect(await held).toBe('released');
    expect(waiters.hold('1', 1, 100)).toBeInstanceOf(Promise);
  });
});
