import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beaconSchema, HEARTBEAT_MS, type BeaconEvent } from '../beacon.ts';
import type { MediaInput, Sample } from './media-input.ts';
import { QoeSession } from './qoe-session.ts';
import { playScenario, type Outcome, type Step } from './scenario.ts';

const every = (ms: number) => (): number => ms;

function play(...steps: readonly Step[]): Outcome {
  return playScenario({ startMs: 800, steps, lookEvery: every(250), rate: 1 });
}

function names(events: readonly BeaconEvent[]): readonly string[] {
  return events.map(({ event }) => event).filter((event) => event !== 'heartbeat');
}

function sum(events: readonly BeaconEvent[], key: 'watchedMs' | 'stalledMs' | 'decodedFrames'): number {
  return events.reduce((total, event) => total + (event[key] ?? 0), 0);
}

function sample(at: number, position: number, more: Partial<Sample> = {}): Sample {
  return { at, position, rate: 1, seeking: false, tellsFrames: false, ...more };
}

/** Takes inputs one after the other and gives all events. */
function take(session: QoeSession, ...inputs: readonly MediaInput[]): readonly BeaconEvent[] {
  return inputs.flatMap((input) => session.take(input));
}

describe('a playback session', () => {
  it('starts up from the request to play to the first frame that moves', () => {
    const { events } = play();
    expect(names(events)).toEqual(['session_start', 'startup', 'end']);
    expect(events[1]?.startupMs).toBe(800);
  });

  it('starts up by the position where no frames are told, at the instant at which it began to move', () => {
    const events = take(
      new QoeSession(),
      { kind: 'play', sample: sample(0, 5) },
      { kind: 'tick', sample: sample(500, 5) },
      { kind: 'tick', sample: sample(750, 5.1) },
    );
    expect(events.at(-1)).toMatchObject({ event: 'startup', startupMs: 650 });
    expect(events.at(-1)?.at).toBeCloseTo(650);
  });

  it('takes a frame that comes of a seek before the start for no start', () => {
    const session = new QoeSession();
    const events = take(
      session,
      { kind: 'play', sample: sample(0, 0, { tellsFrames: true }) },
      { kind: 'frame', at: 100, mediaTime: 0 },
      { kind: 'seeking', sample: sample(200, 30, { tellsFrames: true }) },
      { kind: 'frame', at: 300, mediaTime: 30 },
    );
    expect(names(events)).toEqual(['session_start']);
    expect(session.figures().phase).toBe('starting');
  });

  it('measures a start-up again from the request that follows a pause: a forbidden autoplay is no wait', () => {
    const events = take(
      new QoeSession(),
      { kind: 'play', sample: sample(0, 0) },
      { kind: 'pause', sample: sample(10, 0) },
      { kind: 'tick', sample: sample(30_000, 0) },
      { kind: 'play', sample: sample(60_000, 0) },
      { kind: 'tick', sample: sample(60_500, 0.1) },
    );
    expect(names(events)).toEqual(['session_start', 'startup']);
    expect(events[1]?.startupMs).toBe(400);
  });

  it('leaves out of the start-up the time in which nobody could see it', () => {
    const events = take(
      new QoeSession(),
      { kind: 'play', sample: sample(0, 0) },
      { kind: 'hidden', sample: sample(100, 0) },
      { kind: 'visible', sample: sample(9_100, 0) },
      { kind: 'tick', sample: sample(9_300, 0.1) },
    );
    expect(events.at(-1)).toMatchObject({ event: 'startup', startupMs: 200 });
  });

  it.each(['stalls', 'silently-stalls'] as const)('tells of a playhead that %s from stop to go', (kind) => {
    const { events, figures } = play({ kind, ms: 1_730 });
    expect(names(events)).toEqual(['session_start', 'startup', 'stall_begin', 'stall_end', 'end']);
    const [begin, end] = events.filter(({ event }) => event.startsWith('stall'));
    expect((end?.at ?? 0) - (begin?.at ?? 0)).toBeCloseTo(1_730, -1.5);
    expect(sum(events, 'stalledMs')).toBeCloseTo(1_730, -1.5);
    expect(figures.stalls).toBe(1);
  });

  it.each([
    { kind: 'pauses', ms: 20_000 },
    { kind: 'seeks', ms: 4_000 },
    { kind: 'hides', ms: 30_000 },
    { kind: 'hides-standing', ms: 30_000 },
    { kind: 'silently-stalls', ms: 60 },
  ] as const)('has no stall where the element $kind', (step) => {
    const { events } = play(step);
    expect(names(events).filter((event) => event.startsWith('stall'))).toEqual([]);
    expect(sum(events, 'stalledMs')).toBe(0);
  });

  it('ends a stall where the viewer pauses or hides the page', () => {
    for (const [input, detail] of [
      [{ kind: 'pause', sample: sample(3_000, 1) }, 'pause'],
      [{ kind: 'hidden', sample: sample(3_000, 1) }, 'hidden'],
    ] as const) {
      const events = take(
        new QoeSession(),
        { kind: 'join', sample: sample(0, 0) },
        { kind: 'tick', sample: sample(1_000, 1) },
        { kind: 'waiting', sample: sample(1_000, 1) },
        { kind: 'tick', sample: sample(1_250, 1) },
        input,
        { kind: 'tick', sample: sample(4_000, 1, { seeking: true }) },
      );
      expect(events.find(({ event }) => event === 'stall_end')).toMatchObject({ at: 3_000, detail });
      expect(sum(events, 'stalledMs')).toBe(2_000);
    }
  });

  it('goes on with a stall through a seek by which the player tries to end it', () => {
    const events = take(
      new QoeSession(),
      { kind: 'join', sample: sample(0, 0) },
      { kind: 'waiting', sample: sample(0, 0) },
      { kind: 'tick', sample: sample(250, 0) },
      { kind: 'seeking', sample: sample(1_000, 0.1, { seeking: true }) },
      { kind: 'tick', sample: sample(1_250, 0.1) },
      { kind: 'tick', sample: sample(2_000, 0.2) },
    );
    expect(names(events)).toEqual(['session_start', 'stall_begin', 'stall_end']);
    expect(events.at(-1)?.at).toBe(1_900);
  });

  it('ends a stall with the second picture after it, before the position tells', () => {
    const events = take(
      new QoeSession(),
      { kind: 'join', sample: sample(0, 0) },
      { kind: 'waiting', sample: sample(0, 0) },
      { kind: 'tick', sample: sample(250, 0) },
      { kind: 'frame', at: 1_960, mediaTime: 0 },
      { kind: 'frame', at: 2_000, mediaTime: 0.04 },
      { kind: 'tick', sample: sample(2_100, 0.1) },
    );
    expect(events.at(-1)).toMatchObject({ event: 'stall_end', at: 2_000 });
  });

  it('takes time without any input for a suspended page, neither watched nor stalled', () => {
    const { figures } = playScenario({
      startMs: 100,
      steps: [{ kind: 'silently-stalls', ms: 60_000 }],
      lookEvery: every(20_000),
      rate: 1,
    });
    expect(figures.stalledMs).toBe(0);
    expect(figures.watchedMs).toBeLessThan(4_100);
  });

  it('leaves before the start, unless that was for an error', () => {
    const request: MediaInput = { kind: 'play', sample: sample(0, 0) };
    const leave: MediaInput = { kind: 'leave', sample: sample(4_000, 0) };
    expect(take(new QoeSession(), request, leave).at(-1)?.exitBeforeStart).toBe(true);
    const error: MediaInput = { kind: 'error', sample: sample(1_000, 0), code: 'x', detail: 'y' };
    const failed = take(new QoeSession(), request, error, leave);
    expect(failed.at(-2)).toMatchObject({
      event: 'error',
      errorCode: 'x',
      detail: 'y',
      exitBeforeStart: true,
    });
    expect(failed.at(-1)).not.toHaveProperty('exitBeforeStart');
    expect(play().events.at(-1)).not.toHaveProperty('exitBeforeStart');
  });

  it('says nothing of an element that was never asked to play, and nothing after the end', () => {
    const session = new QoeSession();
    expect(
      take(session, { kind: 'tick', sample: sample(0, 0) }, { kind: 'leave', sample: sample(1, 0) }),
    ).toEqual([]);
    expect(take(session, { kind: 'play', sample: sample(2, 0) })).toEqual([]);
  });

  it('beats every 10 s while it plays or waits, and not while it is paused', () => {
    const beats = (events: readonly BeaconEvent[]): readonly BeaconEvent[] =>
      events.filter(({ event }) => event === 'heartbeat');
    const playing = beats(play({ kind: 'plays', ms: 61_000 }).events);
    expect(playing.length).toBe(6);
    expect(playing.at(3)?.watchedMs).toBeCloseTo(HEARTBEAT_MS, -3);
    expect(playing.at(3)).toMatchObject({
      height: 720,
      bitrate: 3_000_000,
      latencyMs: 2_000,
      bufferMs: 1_000,
      playedRate: 1,
    });
    expect(beats(play({ kind: 'pauses', ms: 61_000 }).events).length).toBe(1);
    expect(beats(play({ kind: 'stalls', ms: 61_000 }).events).length).toBe(6);
  });

  it('tells of a switch of rendition, and not of the first', () => {
    const events = take(
      new QoeSession(),
      { kind: 'play', sample: sample(0, 0) },
      { kind: 'tick', sample: sample(250, 0.2, { height: 360, bitrate: 800_000 }) },
      { kind: 'tick', sample: sample(500, 0.45, { height: 360, bitrate: 800_000 }) },
      { kind: 'tick', sample: sample(750, 0.7) },
      { kind: 'tick', sample: sample(1_000, 0.95, { height: 720, bitrate: 3_000_000 }) },
    );
    expect(names(events)).toEqual(['session_start', 'startup', 'rendition_switch']);
    expect(events.at(-1)).toMatchObject({ height: 720, bitrate: 3_000_000 });
  });

  it('counts frames from where the element stood, through media that is loaded anew', () => {
    const frames = (decodedFrames: number): Partial<Sample> => ({ decodedFrames, droppedFrames: 0 });
    const events = take(
      new QoeSession(),
      { kind: 'join', sample: sample(0, 0, frames(500)) },
      { kind: 'tick', sample: sample(1_000, 1, frames(525)) },
      { kind: 'tick', sample: sample(1_500, 1.5, frames(10)) },
      { kind: 'leave', sample: sample(2_000, 2, frames(20)) },
    );
    expect(sum(events, 'decodedFrames')).toBe(45);
  });

  it('bounds what a player that fails in a loop says', () => {
    const session = new QoeSession();
    session.take({ kind: 'play', sample: sample(0, 0) });
    const errors = Array.from({ length: 1_000 }, (): MediaInput => ({
      kind: 'error',
      sample: sample(1, 0),
      code: 'x',
    }));
    expect(take(session, ...errors).length).toBe(20);
  });
});

const step = fc.record({
  kind: fc.constantFrom<Step['kind']>(
    'plays',
    'stalls',
    'silently-stalls',
    'pauses',
    'seeks',
    'hides',
    'hides-standing',
  ),
  ms: fc.integer({ min: 700, max: 8_000 }),
});

const anyNumber = fc.oneof(fc.double(), fc.integer({ min: -10, max: 100_000 }));
const anySample = fc.record({
  at: fc.integer({ min: 0, max: 100_000 }),
  position: fc.integer({ min: 0, max: 100_000 }).map((ms) => ms / 1000),
  rate: fc.constantFrom(0, 0.5, 1, 2),
  seeking: fc.boolean(),
  tellsFrames: fc.boolean(),
  height: fc.option(anyNumber, { nil: undefined }),
  bitrate: fc.option(anyNumber, { nil: undefined }),
  latencyMs: fc.option(anyNumber, { nil: undefined }),
  bufferMs: fc.option(anyNumber, { nil: undefined }),
  droppedFrames: fc.option(fc.nat(1_000_000), { nil: undefined }),
  decodedFrames: fc.option(fc.nat(1_000_000), { nil: undefined }),
});
const anyInput: fc.Arbitrary<MediaInput> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('tick', 'play', 'join', 'pause', 'waiting', 'hidden', 'visible'),
    sample: anySample,
  }),
  fc.record({ kind: fc.constant('seeking'), sample: anySample }),
  fc.record({ kind: fc.constant('error'), sample: anySample, code: fc.constant('x') }),
  fc.record({ kind: fc.constant('frame'), at: fc.nat(100_000), mediaTime: fc.nat(1_000) }),
);

describe('any playback session', () => {
  it('tells times that add up to what was true of the element', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 8 }),
        fc.array(fc.integer({ min: 10, max: 400 }), { minLength: 1, maxLength: 20 }),
        fc.constantFrom(0.5, 1, 1.25),
        fc.nat(5_000),
        (steps, looks, rate, startMs) => {
          let look = 0;
          const lookEvery = (): number => looks[(look += 1) % looks.length] ?? 250;
          const { events, ...truth } = playScenario({ startMs, steps, lookEvery, rate });
          const stalls = steps.filter(({ kind }) => kind.endsWith('stalls')).length;
          expect(names(events).filter((event) => event === 'stall_end').length).toBe(stalls);
          expect(events.find(({ event }) => event === 'startup')?.startupMs).toBe(startMs);
          expect(Math.abs(sum(events, 'stalledMs') - truth.stalledMs)).toBeLessThanOrEqual(70 * stalls + 1);
          expect(Math.abs(sum(events, 'watchedMs') - truth.watchedMs)).toBeLessThanOrEqual(
            Math.max(300, 300 * steps.length),
          );
        },
      ),
      { numRuns: 150 },
    );
  });

  it('makes events that the edge takes, in order, with stalls in pairs, whatever the element does', () => {
    fc.assert(
      fc.property(fc.array(anyInput, { maxLength: 60 }), (inputs) => {
        const session = new QoeSession();
        const events = take(session, ...inputs, { kind: 'leave', sample: sample(200_000, 0) });
        for (const [index, event] of events.entries()) {
          expect(event.seq).toBe(index);
          expect(event.at).toBeGreaterThanOrEqual(events[index - 1]?.at ?? 0);
        }
        if (events.length > 0) {
          const head = { v: 1, session: 'a', stream: 's', player: '', playerVersion: '', sentAt: 0 };
          const first = { ...head, events: events.slice(0, 100) };
          expect(beaconSchema.safeParse(first).error).toBeUndefined();
          expect([events[0]?.event, events.at(-1)?.event]).toEqual(['session_start', 'end']);
        }
        const stalls = names(events).filter((event) => event.startsWith('stall'));
        expect(stalls).toEqual(stalls.map((_, index) => (index % 2 === 0 ? 'stall_begin' : 'stall_end')));
        expect(stalls.length % 2).toBe(0);
        const { watchedMs, stalledMs } = session.figures();
        expect(watchedMs + stalledMs).toBeLessThanOrEqual(200_001);
        expect(Math.abs(sum(events, 'watchedMs') - watchedMs)).toBeLessThan(1);
        expect(Math.abs(sum(events, 'stalledMs') - stalledMs)).toBeLessThan(1);
      }),
      { numRuns: 1_500 },
    );
  });
});
