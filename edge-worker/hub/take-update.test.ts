import { describe, expect, it } from 'vitest';
import { takeUpdate } from './take-update.ts';
import { begin, framesOf, init, part, take, type Unnumbered } from './window-fixture.ts';

describe('a segment that a rendition lacks', () => {
  it('is listed as a gap, and the next one goes on behind it', () => {
    const started = take(undefined, 100, [begin(), init('v'), init('a'), part('a', 0, 0)]);
    const gap = take(started, 100, [
      { kind: 'gap', rendition: 'v', msn: 0, duration: 2, programDateTime: 1_800_000_000_000 },
      part('v', 1, 0),
    ]);
    const rendition = gap.renditions.get('v');
    expect(rendition?.segments.tail).toMatchObject([
      { msn: 0, gap: true, durationMicros: 2_000_000, parts: [] },
    ]);
    expect(rendition?.open?.msn).toBe(1);
  });
});

describe('updates that make no sense', () => {
  const window = take(undefined, 100, [begin(), init('v'), part('v', 0, 0)]);
  const cases: readonly (readonly [string, Unnumbered, number])[] = [
    ['a part before its init segment', part('a', 0, 0), 1],
    ['a part out of turn', part('v', 0, 2), 1],
    ['an empty part', part('v', 0, 1), 0],
    ['a part of an unknown rendition', part('x', 0, 0), 1],
    ['a second init segment', init('v'), 1],
    ['a segment with another number of parts', { kind: 'segment', rendition: 'v', msn: 0, parts: 2 }, 0],
    [
      'a gap where the segment has parts',
      { kind: 'gap', rendition: 'v', msn: 0, duration: 2, programDateTime: 0 },
      0,
    ],
    ['a gap at another number', { kind: 'gap', rendition: 'a', msn: 5, duration: 2, programDateTime: 0 }, 0],
    ['a segment without parts', { kind: 'segment', rendition: 'a', msn: 0, parts: 1 }, 0],
  ];

  it.each(cases)('%s is invalid', (_, update, bytes) => {
    const [frame] = framesOf([update], window.nextSeq);
    const step = frame && takeUpdate(window, 100, frame.update, bytes);
    expect(step).toMatchObject({ kind: 'refused', answer: { status: 'invalid' } });
  });
});
