import { describe, expect, it } from 'vitest';
import { milliseconds } from '#shared/media-time.ts';
import { NOTHING_SEEN, observe, stalledFor, type OutputWatch, type WatchEvent } from './output-watch.ts';

function after(...events: readonly (readonly [number, WatchEvent])[]): number {
  return stalledFor(
    events.reduce<OutputWatch>((watch, [at, event]) => observe(watch, event, milliseconds(at)), NOTHING_SEEN),
  );
}

describe('stalledFor', () => {
  it('counts from the first input without an answer to the last', () => {
    expect(after([0, 'output'], [10, 'input'], [500, 'input'], [2_000, 'input'])).toBe(1_990);
  });

  it('starts anew with each output', () => {
    expect(after([0, 'input'], [5_000, 'input'], [5_001, 'output'], [5_002, 'input'])).toBe(0);
  });

  it('does not count a feed that pauses: no input, no stall', () => {
    expect(after([0, 'input'])).toBe(0);
    expect(after()).toBe(0);
  });

  it('counts a pipe that stays full as input', () => {
    expect(after([0, 'input'], [9_000, 'blocked'])).toBe(9_000);
  });
});
