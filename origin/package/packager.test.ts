import { mediaSequenceNumber, milliseconds, seconds, ticks, type Milliseconds } from '#shared/media-time.ts';
import { describe, expect, it } from 'vitest';
import type { PackagerEvent } from './packager-event.ts';
import { Packager } from './packager.ts';
import type { Sample, Track } from './sample.ts';
import { audioTrack, samplesAt, steadyAudio, steadyVideo, videoTrack } from './test-samples.ts';

interface Source {
  readonly track: Track;
  readonly samples: readonly Sample[];
}

type Event<Kind extends PackagerEvent['kind']> = Extract<PackagerEvent, { kind: Kind }>;

const WALL_CLOCK = 1_800_000_000_000;

function createPackager(
  sources: readonly Source[],
  options: { partTarget?: number; segmentDuration?: number } = {},
) {
  return new Packager({
    tracks: sources.map((source) => source.track),
    partTarget: seconds(options.partTarget ?? 0.5),
    segmentDuration: seconds(options.segmentDuration ?? 2),
    firstMsn: mediaSequenceNumber(7),
  });
}

/** A live source: each sample arrives when it ends. */
function arrivalOf(track: Track, sample: Sample): Milliseconds {
  return milliseconds(WALL_CLOCK + ((sample.decodeTime + sample.duration) / track.timescale) * 1000);
}

/** All samples in the order of their decode times' ends, arriving when they end. */
function interleave(sources: readonly Source[]) {
  return sources
    .flatMap(({ track, samples }) =>
      samples.map((sample) => ({
        trackId: track.id,
        sample,
        now: arrivalOf(track, sample),
      })),
    )
    .sort((a, b) => a.now - b.now);
}

function run(sources: readonly Source[], options: { partTarget?: number; segmentDuration?: number } = {}) {
  const packager = createPackager(sources, options);
  const events = interleave(sources).flatMap(({ trackId, sample, now }) => [
    ...packager.push(trackId, sample, now),
  ]);
  return [...events, ...packager.flush()];
}

function only<Kind extends PackagerEvent['kind']>(
  events: readonly PackagerEvent[],
  kind: Kind,
  trackId?: number,
) {
  return events.filter(
    (event): event is Event<Kind> =>
      event.kind === kind && (trackId === undefined || !('trackId' in event) || event.trackId === trackId),
  );
}

const VIDEO = videoTrack(1, 15_360);
const LOW = videoTrack(2, 90_000);
const AUDIO = audioTrack(3, 48_000);
const VIDEO_30 = { track: VIDEO, samples: steadyVideo({ frames: 240, frameTicks: 512, gop: 60 }) };
const AUDIO_8S = { track: AUDIO, samples: steadyAudio(375) };

describe('parts', () => {
  it('declares the start once, before the first part', () => {
    const events = run([VIDEO_30, AUDIO_8S]);
    expect(events[0]).toEqual({
      kind: 'start',
      partTarget: 0.5,
      targetDuration: 2,
      frameRates: new Map([[1, 30]]),
    });
    expect(only(events, 'start')).toHaveLength(1);
  });

  it('closes a part at once with the frame after which another would not fit', () => {
    const packager = createPackager([VIDEO_30]);
    const closedBy = VIDEO_30.samples.flatMap((sample, index) =>
      only(packager.push(1, sample, arrivalOf(VIDEO_30.track, sample)), 'part').map(() => index),
    );
    expect(closedBy.slice(0, 5)).toEqual([14, 29, 44, 59, 74]);
  });

  it('holds 14 frames of 29.97 a second in a part of 0.5 s without waiting for a 15th', () => {
    const source = {
      track: videoTrack(1, 30_000),
      samples: steadyVideo({ frames: 60, frameTicks: 1001, gop: 60 }),
    };
    const packager = createPackager([source]);
    const closedBy = source.samples.flatMap((sample, index) =>
      only(packager.push(1, sample, arrivalOf(source.track, sample)), 'part').map(() => index),
    );
    expect(closedBy).toEqual([13, 27, 41, 55]);
  });

  it('declares four frames as PART-TARGET for 24 frames a second at 0.2 s', () => {
    const source = {
      track: videoTrack(1, 24_000),
      samples: steadyVideo({ frames: 96, frameTicks: 1000, gop: 48 }),
    };
    const events = run([source], { partTarget: 0.2 });
    expect(events[0]).toMatchObject({ kind: 'start', partTarget: 4 / 24 });
    expect(new Set(only(events, 'part').map((part) => part.duration))).toEqual(new Set([4 / 24]));
  });

  it('keeps 15 frames a part where millisecond time stamps make them last 33, 33, 34', () => {
    const times = Array.from({ length: 241 }, (_, index) => Math.round((index * 1000) / 30));
    const source = {
      track: videoTrack(1, 1000),
      samples: samplesAt(times, (index) => ({ sync: index % 60 === 0 })),
    };
    const parts = only(run([source]), 'part').slice(0, 16);
    expect(new Set(parts.map((part) => part.duration))).toEqual(new Set([0.5]));
  });

  it('cuts the same parts where the frames say no duration, as ffmpeg does of packets it cannot look behind', () => {
    const mute = VIDEO_30.samples.map((sample) => ({ ...sample, duration: ticks(0) }));
    const cuts = (samples: readonly Sample[]) =>
      only(run([{ track: VIDEO, samples }]), 'part').map((part) => [part.msn, part.duration]);
    expect(cuts(mute)).toEqual(cuts(VIDEO_30.samples));
  });

  it('declares what 24 frames a second may last in a part where time stamps are milliseconds', () => {
    const times = Array.from({ length: 97 }, (_, index) => Math.round((index * 1000) / 24));
    const source = {
      track: videoTrack(1, 1000),
      samples: samplesAt(times, (index) => ({ sync: index % 48 === 0 })),
    };
    const [start, ...events] = run([source], { partTarget: 0.2 });
    const target = start?.kind === 'start' ? start.partTarget : 0;
    expect(target).toBeGreaterThanOrEqual(0.167);
    expect(target).toBeLessThan(0.17);
    expect(only(events, 'part').every((part) => part.duration <= target)).toBe(true);
  });

  it('keeps the configured PART-TARGET where the frame rate varies', () => {
    const times = Array.from({ length: 120 }, (_, index) => index * 3000 + Math.floor(index / 2) * 3000);
    const source = {
      track: videoTrack(1, 90_000),
      samples: samplesAt(times, (index) => ({ sync: index % 40 === 0 })),
    };
    const [start, ...events] = run([source], { partTarget: 0.5 });
    expect(start).toMatchObject({ kind: 'start', partTarget: 0.5 });
    expect(only(events, 'part').every((part) => part.duration <= 0.5)).toBe(true);
  });

  it('names a frame that lasts longer than PART-TARGET', () => {
    const source = { track: VIDEO, samples: steadyVideo({ frames: 8, frameTicks: 512, gop: 8 }) };
    const slow = source.samples.map((sample, index) => ({
      ...sample,
      decodeTime: ticks(index > 5 ? sample.decodeTime + 15_360 : sample.decodeTime),
      duration: ticks(index === 5 ? 512 + 15_360 : 512),
    }));
    const events = run([{ track: VIDEO, samples: slow }]);
    expect(only(events, 'warning').map((warning) => warning.code)).toEqual(['frame-exceeds-part-target']);
    expect(only(events, 'part').every((part) => part.duration > 0)).toBe(true);
  });
});

describe('segments', () => {
  it('starts each MSN at the same media instant in renditions of different timescales', () => {
    const low = { track: LOW, samples: steadyVideo({ frames: 240, frameTicks: 3000, gop: 60 }) };
    const events = run([VIDEO_30, low, AUDIO_8S]);
    const starts = (trackId: number) =>
      only(events, 'part', trackId)
        .filter((part) => part.part === 0)
        .map((part) => [part.msn, part.programDateTime]);
    expect(starts(1)).toEqual(starts(2));
    expect(starts(1).map(([msn]) => msn)).toEqual([7, 8, 9, 10]);
    const drift = starts(3).map(([, time], index) => (starts(1)[index]?.[1] ?? 0) - (time ?? 0));
    expect(drift.every((late) => late >= 0 && late <= 22)).toBe(true);
  });

  it('ends a segment at an earlier key frame where the next would come too late', () => {
    const source = { track: VIDEO, samples: steadyVideo({ frames: 240, frameTicks: 512, gop: 45 }) };
    const segments = only(run([source]), 'segment');
    expect(segments.slice(0, 4).map((segment) => segment.duration)).toEqual([1.5, 1.5, 1.5, 1.5]);
  });

  it('waits for a key frame that still keeps EXTINF below the limit', () => {
    const source = { track: VIDEO, samples: steadyVideo({ frames: 240, frameTicks: 512, gop: 24 }) };
    const segments = only(run([source]), 'segment');
    expect(segments.slice(0, 2).map((segment) => segment.duration)).toEqual([2.4, 2.4]);
  });

  it('forces a boundary without a key frame, says so once, and goes on at the key frame', () => {
    const source = { track: VIDEO, samples: steadyVideo({ frames: 600, frameTicks: 512, gop: 150 }) };
    const events = run([source]);
    const segments = only(events, 'segment');
    expect(segments.every((segment) => Math.round(segment.duration) <= 2)).toBe(true);
    const warnings = only(events, 'warning').filter(
      (warning) => warning.code === 'key-frame-interval-too-long',
    );
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.detail).toContain('key-frame interval to 2 s or less');
    expect(only(events, 'part').filter((part) => part.independent && part.part === 0)).toHaveLength(4);
  });

  it('cuts a rendition without a key frame at the boundary all the same', () => {
    const low = { track: LOW, samples: steadyVideo({ frames: 240, frameTicks: 3000, gop: 1000 }) };
    const events = run([VIDEO_30, low]);
    expect(only(events, 'segment', 2).map((segment) => segment.duration)).toEqual([2, 2, 2, 2]);
    const first = only(events, 'part', 2).filter((part) => part.part === 0);
    expect(first.map((part) => part.independent)).toEqual([true, false, false, false]);
    expect(only(events, 'warning').map((warning) => warning.code)).toEqual(['boundary-without-sync']);
  });

  it('does not cut at a key frame that another rendition has passed', () => {
    const late = { track: LOW, samples: steadyVideo({ frames: 240, frameTicks: 3000, gop: 63 }) };
    const packager = createPackager([VIDEO_30, late]);
    const events = [
      ...VIDEO_30.samples
        .slice(0, 65)
        .flatMap((sample) => [...packager.push(1, sample, arrivalOf(VIDEO_30.track, sample))]),
      ...late.samples.slice(0, 64).flatMap((sample) => [...packager.push(2, sample, arrivalOf(LOW, sample))]),
    ];
    expect(only(events, 'segment').map((segment) => [segment.trackId, segment.duration])).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });

  it('cuts audio at the last frame boundary at or before the video boundary', () => {
    const events = run([VIDEO_30, AUDIO_8S]);
    const frames = only(events, 'segment', 3).map((segment) =>
      Math.round((segment.duration * 48_000) / 1024),
    );
    expect(frames).toEqual([93, 94, 94, 94]);
  });

  it('cuts audio alone after each segment duration, every part independent', () => {
    const events = run([AUDIO_8S]);
    expect(only(events, 'segment').map((segment) => segment.parts)).toEqual([5, 5, 5, 5]);
    expect(only(events, 'part').every((part) => part.independent && part.duration <= 0.5)).toBe(true);
  });

  it('starts segments at key frames when pictures are reordered', () => {
    // I P B B … in decode order, presented two frames later at most; negative offsets for the B frames.
    const offsets = [0, 1024, -512, -512];
    const times = Array.from({ length: 244 }, (_, index) => index * 512);
    const samples = samplesAt(times, (index) => ({
      sync: index % 61 === 0,
      compositionOffset: index % 61 === 0 ? 0 : (offsets[1 + (((index % 61) - 1) % 3)] ?? 0),
    }));
    const events = run([{ track: VIDEO, samples }, AUDIO_8S]);
    const lengths = only(events, 'segment', 1).map((segment) => Math.round(segment.duration * 30));
    expect(lengths).toEqual([61, 61, 61, 61]);
    expect(
      only(events, 'part', 1)
        .filter((part) => part.part === 0)
        .every((part) => part.independent),
    ).toBe(true);
    expect(only(events, 'warning')).toEqual([]);
  });
});

describe('renditions that stop', () => {
  it('goes on with video and gives gaps while audio is away, then finds its MSN again', () => {
    const video = { track: VIDEO, samples: steadyVideo({ frames: 600, frameTicks: 512, gop: 60 }) };
    const audio = { track: AUDIO, samples: [...steadyAudio(100), ...steadyAudio(280, 640 * 1024)] };
    const events = run([video, audio]);
    expect(only(events, 'segment', 1)).toHaveLength(10);
    const kinds = events
      .filter((event) => 'trackId' in event && event.trackId === 3 && 'msn' in event && event.kind !== 'part')
      .map((event) => [event.kind, 'msn' in event ? event.msn : 0]);
    expect(kinds.map(([, msn]) => msn)).toEqual([7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    expect(kinds.filter(([kind]) => kind === 'gap').map(([, msn]) => msn)).toEqual([9, 10, 11, 12]);
  });

  it('goes on with audio alone while video is away', () => {
    const key = steadyVideo({ frames: 120, frameTicks: 512, gop: 60 });
    const back = steadyVideo({ frames: 120, frameTicks: 512, gop: 60, from: 360 * 512 });
    const events = run([
      { track: VIDEO, samples: [...key, ...back] },
      { track: AUDIO, samples: steadyAudio(750) },
    ]);
    const msns = (trackId: number) =>
      events.flatMap((event) =>
        (event.kind === 'segment' || event.kind === 'gap') && event.trackId === trackId ? [event.msn] : [],
      );
    expect(msns(1)).toEqual(msns(3));
    expect(only(events, 'gap', 1).length).toBeGreaterThan(1);
    expect(only(events, 'part', 3).reduce((sum, part) => sum + part.duration, 0)).toBeCloseTo(16, 6);
    expect(only(events, 'segment').every((segment) => Math.round(segment.duration) <= 2)).toBe(true);
  });

  it('starts without a rendition that does not come', () => {
    const events = run([VIDEO_30, { track: LOW, samples: [] }]);
    expect(only(events, 'segment', 1)).toHaveLength(4);
    expect(only(events, 'gap', 2)).toHaveLength(4);
  });
});

describe('time', () => {
  it('anchors PROGRAM-DATE-TIME to the arrival of the first sample less its duration', () => {
    const events = run([VIDEO_30]);
    expect(
      only(events, 'part')
        .slice(0, 5)
        .map((part) => part.programDateTime - WALL_CLOCK),
    ).toEqual([0, 500, 1000, 1500, 2000]);
  });

  it('anchors PROGRAM-DATE-TIME behind the burst that a connecting encoder sends', () => {
    const packager = createPackager([VIDEO_30]);
    const burst = 30;
    const events = VIDEO_30.samples.flatMap((sample, index) => [
      ...packager.push(1, sample, milliseconds(WALL_CLOCK + (Math.max(burst, index + 1) / 30) * 1000)),
    ]);
    expect(only(events, 'part')[0]?.programDateTime).toBe(WALL_CLOCK);
  });

  it('does not hold back more than three seconds of a file that comes at once', () => {
    const packager = createPackager([VIDEO_30]);
    const pushed = VIDEO_30.samples.findIndex(
      (sample) => packager.push(1, sample, milliseconds(WALL_CLOCK)).length > 0,
    );
    // The last frame's share of three seconds is lost to rounding.
    expect([90, 91]).toContain(pushed + 1);
  });

  it.each([
    ['back by more than a second', -2],
    ['ahead by more than ten seconds', 11],
  ])('ends the run when the clock jumps %s', (_, jump) => {
    const packager = createPackager([VIDEO_30]);
    for (const sample of VIDEO_30.samples.slice(0, 90)) {
      packager.push(1, sample, arrivalOf(VIDEO_30.track, sample));
    }
    const jumped = steadyVideo({ frames: 1, frameTicks: 512, gop: 1, from: 90 * 512 + jump * 15_360 });
    const pushAll = (samples: readonly Sample[]) =>
      samples.flatMap((sample) => [...packager.push(1, sample, arrivalOf(VIDEO_30.track, sample))]);
    const events = pushAll(jumped);
    expect(events.at(-1)).toMatchObject({ kind: 'timeline-break', trackId: 1 });
    expect(only(events, 'segment').map((segment) => segment.msn)).toEqual([8]);
    expect(packager.nextMsn).toBe(9);
    expect(pushAll(VIDEO_30.samples.slice(91, 92))).toEqual([]);
  });

  it('dates a run from when its first frame was received, where that was kept for a while before', () => {
    const packager = new Packager({
      ...{ tracks: [VIDEO], partTarget: seconds(0.5), segmentDuration: seconds(2) },
      firstMsn: mediaSequenceNumber(0),
      firstSampleAt: milliseconds(WALL_CLOCK),
    });
    const late = milliseconds(WALL_CLOCK + 3_000);
    const events = VIDEO_30.samples.flatMap((sample, index) => [
      ...packager.push(1, sample, milliseconds(late + index * 34)),
    ]);
    expect(Math.abs((only(events, 'part')[0]?.programDateTime ?? 0) - WALL_CLOCK)).toBeLessThan(50);
  });

  it('refuses a track that is none of the run', () => {
    const other = { track: videoTrack(9, 15_360), samples: VIDEO_30.samples.slice(0, 1) };
    const packager = createPackager([VIDEO_30]);
    expect(() =>
      interleave([other]).map(({ trackId, sample, now }) => packager.push(trackId, sample, now)),
    ).toThrow(RangeError);
  });

  it('leaves out audio from before the first picture', () => {
    const events = run([VIDEO_30, { track: AUDIO, samples: steadyAudio(375, -20 * 1024) }].toReversed());
    expect(only(events, 'warning').map((warning) => warning.code)).toEqual(['leading-audio-dropped']);
    expect(only(events, 'part', 3)[0]?.programDateTime).toBeLessThanOrEqual(
      only(events, 'part', 1)[0]?.programDateTime ?? 0,
    );
  });
});
