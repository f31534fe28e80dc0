import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Directives } from './directives.ts';
import { LiveStream, type PlaylistOutcome } from './live-stream.ts';
import { joinWait } from './reload.ts';
import { begin, framesOf, init, part, type Unnumbered } from './window-fixture.ts';

const PLAIN: Directives = { msn: undefined, part: undefined, skip: undefined };

describe('a reload without directives', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is answered at once within a quarter of a part target after the newest part', async () => {
    const { live } = liveStream();
    vi.advanceTimersByTime(250);
    expect(await settled(live.mediaPlaylist('v', PLAIN))).toContain('7-0.0.m4s');
  });

  it('waits for the next part after that, and has it', async () => {
    const { live, publish } = liveStream();
    vi.advanceTimersByTime(251);
    const answer = live.mediaPlaylist('v', PLAIN);
    expect(await settled(answer)).toBeUndefined();
    publish(part('v', 0, 1));
    expect(await settled(answer)).toContain('7-0.1.m4s');
  });

  it('does not wait for the part of another rendition', async () => {
    const { live, publish } = liveStream();
    vi.advanceTimersByTime(500);
    const answer = live.mediaPlaylist('v', PLAIN);
    publish(part('a', 0, 1));
    expect(await settled(answer)).toBeUndefined();
  });

  it('is answered with what there is when the next part is late, and while it is', async () => {
    const { live } = liveStream();
    vi.advanceTimersByTime(1_000);
    const answer = live.mediaPlaylist('v', PLAIN);
    vi.advanceTimersByTime(500);
    expect(await settled(answer)).toContain('7-0.0.m4s');
    expect(await settled(live.mediaPlaylist('v', PLAIN))).toContain('7-0.0.m4s');
  });

  it('is answered at once when the stream ends', async () => {
    const { live, publish } = liveStream();
    vi.advanceTimersByTime(500);
    const answer = live.mediaPlaylist('v', PLAIN);
    publish({ kind: 'end' });
    expect(await settled(answer)).toContain('#EXT-X-ENDLIST');
  });
});

it.each([
  [0, 0],
  [125, 0],
  [126, 624],
  [500, 250],
  [750, 0],
  [90_000, 0],
])('%i ms after a part of 500 ms waits for at most %i ms', (sinceLastPart, wait) => {
  expect(joinWait(sinceLastPart, 500)).toBe(wait);
});

function liveStream(): {
  readonly live: LiveStream;
  readonly publish: (...updates: readonly Unnumbered[]) => void;
} {
  const live = new LiveStream(undefined);
  let seq = 0;
  const publish = (...updates: readonly Unnumbered[]): void => {
    live.publish(7, framesOf(updates, seq));
    seq += updates.length;
  };
  publish(begin(), init('v'), init('a'), part('v', 0, 0), part('a', 0, 0));
  return { live, publish };
}

/** The text of an answer that has come by now. */
async function settled(answer: Promise<PlaylistOutcome>): Promise<string | undefined> {
  const pending = Symbol('pending');
  await vi.advanceTimersByTimeAsync(0);
  const outcome = await Promise.race([answer, Promise.resolve(pending)]);
  return typeof outcome === 'symbol' || outcome.kind !== 'text'
    ? undefined
    : new TextDecoder().decode(outcome.text);
}
