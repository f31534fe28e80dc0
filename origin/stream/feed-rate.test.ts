import { describe, expect, it } from 'vitest';
import type { SourceProperties } from '../ingest/media-feed.ts';
import { FeedRate } from './feed-rate.ts';

const SOURCE: SourceProperties = {
  video: { codec: 'h264', width: 1280, height: 720, frameRate: 30 },
  audio: undefined,
};

/** Feeds a megabit a second, for so many seconds. */
function feed(rate: FeedRate, from: number, seconds: number): void {
  for (let second = 0; second <= seconds; second += 1) {
    rate.add(second === 0 ? 0 : 125_000, from + second * 1000);
  }
}

describe('FeedRate', () => {
  it('knows nothing before ten seconds, and then the mean', () => {
    const rate = new FeedRate();
    rate.begin(SOURCE);
    feed(rate, 0, 9);
    expect(rate.bitsPerSecond).toBeUndefined();
    rate.add(125_000, 10_000);
    expect(rate.bitsPerSecond).toBeCloseTo(1_000_000);
  });

  it('holds over a reconnect of the same source, whose silence does not count, and not for another', () => {
    const rate = new FeedRate();
    rate.begin(SOURCE);
    feed(rate, 0, 20);
    rate.begin(SOURCE);
    feed(rate, 60_000, 12);
    expect(rate.bitsPerSecond).toBeCloseTo(1_000_000);
    rate.begin({ ...SOURCE, audio: { codec: 'aac', sampleRate: 48_000, channels: 2 } });
    expect(rate.bitsPerSecond).toBeUndefined();
  });

  it('begins anew when the clock is stepped back', () => {
    const rate = new FeedRate();
    rate.begin(SOURCE);
    feed(rate, 1_000_000, 5);
    feed(rate, 0, 12);
    expect(rate.bitsPerSecond).toBeCloseTo(1_000_000, -5);
  });
});
