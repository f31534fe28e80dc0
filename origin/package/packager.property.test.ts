import { mediaSequenceNumber, milliseconds, seconds } from '#shared/media-time.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { childBoxes } from './boxes/box-tree.ts';
import { compareInstants } from './instant.ts';
import type { PackagerEvent } from './packager-event.ts';
import { Packager } from './packager.ts';
import { audioTrack, samplesAt, videoTrack } from './test-samples.ts';
import type { Sample, Track } from './sample.ts';

/** Frame rates as exact fractions. */
const RATES: readonly (readonly [number, number])[] = [
  [24, 1],
  [24_000, 1001],
  [25, 1],
  [30, 1],
  [30_000, 1001],
  [50, 1],
  [60, 1],
  [60_000, 1001],
];
const MEDIA_SECONDS = 9;
/** Scenarios per property; raise it to search longer. */
const RUNS = 25;
/** Renditions arrive apart by less than a segment, as through ffmpeg's interleaving. */
const MAX_SKEW_MS = 400;

interface Scenario {
  readonly sources: readonly {
    readonly track: Track;
    readonly samples: readonly Sample[];
    readonly skew: number;
  }[];
  readonly partTarget: number;
  readonly segmentDuration: number;
}

/** Video of one frame rate in every rung, time stamps exact or in whole milliseconds, an own GOP and delay each. */
const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    rate: fc.constantFrom(...RATES),
    rungs: fc.array(
      fc.record({
        gopSeconds: fc.constantFrom(0.5, 0.8, 1, 1.5, 2, 2.5, 4, 100),
        milliseconds: fc.boolean(),
        skew: fc.integer({ min: 0, max: MAX_SKEW_MS }),
      }),
      { minLength: 0, maxLength: 3 },
    ),
    audio: fc.record({
      skew: fc.integer({ min: 0, max: MAX_SKEW_MS }),
      rate: fc.constantFrom(44_100, 48_000),
    }),
    from: fc.integer({ min: 0, max: 1_000_000 }),
    partTarget: fc.constantFrom(0.2, 0.25, 0.333, 0.5, 1),
    segmentDuration: fc.constantFrom(2, 2, 1.92, 3),
  })
  .map(({ rate, rungs, audio, from, partTarget, segmentDuration }) => {
    const video = rungs.map((rung, index) => {
      const [numerator, denominator] = rate;
      const scale = rung.milliseconds ? 1000 : numerator * 512;
      const frames = Math.floor((MEDIA_SECONDS * numerator) / denominator) + 1;
      const gop = Math.max(1, Math.round((rung.gopSeconds * numerator) / denominator));
      const times = Array.from(
        { length: frames },
        (_, frame) => from * scale + Math.round((frame * denominator * scale) / numerator),
      );
      const samples = samplesAt(times, (frame) => ({ sync: frame % gop === 0 })).slice(0, -1);
      return { track: videoTrack(index + 1, scale), skew: rung.skew, samples };
    });
    const audioTimes = Array.from(
      { length: Math.floor((MEDIA_SECONDS * audio.rate) / 1024) },
      (_, frame) => from * audio.rate + frame * 1024,
    );
    const sound = {
      track: audioTrack(9, audio.rate),
      skew: audio.skew,
      samples: samplesAt(audioTimes, () => ({ sync: true })),
    };
    return { sources: [...video, sound], partTarget, segmentDuration };
  });

function run({ sources, partTarget, segmentDuration }: Scenario): readonly PackagerEvent[] {
  const packager = new Packager({
    tracks: sources.map((source) => source.track),
    partTarget: seconds(partTarget),
    segmentDuration: seconds(segmentDuration),
    firstMsn: mediaSequenceNumber(0),
  });
  const arrivals = sources
    .flatMap(({ track, samples, skew }) =>
      samples.map((sample) => {
        const end = ((sample.decodeTime + sample.duration) / track.timescale) * 1000;
        return { track, sample, now: milliseconds(end + skew) };
      }),
    )
    .sort((a, b) => a.now - b.now);
  const events = arrivals.flatMap(({ track, sample, now }) => [...packager.push(track.id, sample, now)]);
  return [...events, ...packager.flush()];
}

function partsOf(events: readonly PackagerEvent[], trackId: number) {
  return events.filter((event) => event.kind === 'part').filter((part) => part.trackId === trackId);
}

function segmentsOf(events: readonly PackagerEvent[], trackId: number) {
  return events.filter((event) => event.kind === 'segment').filter((segment) => segment.trackId === trackId);
}

function partTargetOf(events: readonly PackagerEvent[]): number {
  return events.find((event) => event.kind === 'start')?.partTarget ?? Number.NaN;
}

function mediaBytes(part: Uint8Array): Uint8Array {
  return childBoxes('file', part).find((box) => box.type === 'mdat')?.content ?? new Uint8Array();
}

function check(property: (scenario: Scenario, events: readonly PackagerEvent[]) => void): void {
  fc.assert(
    fc.property(scenario, (made) => property(made, run(made))),
    { numRuns: RUNS },
  );
}

describe('the packager, whatever the frame rate, GOP, jitter and interleaving', () => {
  it('makes no part longer than PART-TARGET, nor one below 85 % of it but the last of a segment', () => {
    check(({ sources }, events) => {
      const target = partTargetOf(events);
      for (const { track } of sources) {
        const parts = partsOf(events, track.id);
        for (const [index, part] of parts.entries()) {
          expect(part.duration).toBeLessThanOrEqual(target + 1e-9);
          const isLast = parts[index + 1]?.msn !== part.msn;
          expect(isLast || part.duration >= 0.85 * target - 1e-9).toBe(true);
        }
      }
    });
  });

  it('adds parts up to EXTINF, which rounds to the target duration at most', () => {
    check(({ sources, segmentDuration }, events) => {
      for (const { track } of sources) {
        for (const segment of segmentsOf(events, track.id)) {
          const parts = partsOf(events, track.id).filter((part) => part.msn === segment.msn);
          expect(parts.map((part) => part.part)).toEqual(parts.map((_, index) => index));
          expect(parts).toHaveLength(segment.parts);
          expect(parts.reduce((sum, part) => sum + part.duration, 0)).toBeCloseTo(segment.duration, 9);
          expect(Math.round(segment.duration)).toBeLessThanOrEqual(Math.ceil(segmentDuration));
        }
      }
    });
  });

  it('puts every sample into exactly one part, in order, and says INDEPENDENT where the first is a sync sample', () => {
    check(({ sources }, events) => {
      for (const { track, samples } of sources) {
        const parts = partsOf(events, track.id);
        const media = parts.map((part) => mediaBytes(part.bytes));
        expect(media.flatMap((bytes) => [...bytes])).toEqual(samples.flatMap((sample) => [...sample.data]));
        expect(parts.map((part) => part.independent)).toEqual(media.map((bytes) => bytes[0] === 1));
      }
    });
  });

  it('starts every MSN at the same instant in every rendition, to half a frame in video and a frame in audio', () => {
    check(({ sources }, events) => {
      const [reference] = sources;
      const starts = partsOf(events, reference?.track.id ?? 0).filter((part) => part.part === 0);
      for (const { track } of sources) {
        const own = partsOf(events, track.id).filter((part) => part.part === 0);
        expect(own.map((part) => part.msn)).toEqual(starts.map((part) => part.msn));
        for (const [index, part] of own.entries()) {
          const apart = part.programDateTime - (starts[index]?.programDateTime ?? 0);
          expect(Math.abs(apart)).toBeLessThanOrEqual(track.kind === 'audio' ? 45 : 21);
        }
      }
    });
  });

  it('completes each segment once, after all its parts and before the next', () => {
    check(({ sources }, events) => {
      expect(events[0]?.kind).toBe('start');
      for (const { track } of sources) {
        const order = events.flatMap((event) =>
          (event.kind === 'part' || event.kind === 'segment') && event.trackId === track.id
            ? [event.msn * 2 + (event.kind === 'segment' ? 1 : 0)]
            : [],
        );
        expect(order).toEqual(order.toSorted((a, b) => a - b));
        expect(segmentsOf(events, track.id)).toHaveLength(
          new Set(order.map((key) => Math.floor(key / 2))).size,
        );
      }
    });
  });
});

describe('compareInstants', () => {
  it('agrees with exact rational arithmetic', () => {
    const instant = fc.record({
      ticks: fc.integer({ min: -(2 ** 48), max: 2 ** 48 }),
      timescale: fc
        .constantFrom(1000, 1001, 44_100, 90_000, 2 ** 24)
        .map((scale) => audioTrack(1, scale).timescale),
    });
    fc.assert(
      fc.property(instant, instant, (a, b) => {
        const exact = BigInt(a.ticks) * BigInt(b.timescale) - BigInt(b.ticks) * BigInt(a.timescale);
        expect(Math.sign(compareInstants(a, b))).toBe(Math.sign(Number(exact)));
      }),
    );
  });
});
