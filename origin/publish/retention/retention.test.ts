import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideSegment, isBefore, LEAST_AGE_MS, type Position, type RetentionState } from './decide.ts';
import { noteListed, unlistedFor, type ListedHistory } from './listed-history.ts';
import { recordingSchema } from './settings.ts';
import { SweepPlan } from './sweep-plan.ts';

const NOW = 1_000_000_000;
const KEEP = 3_600_000;

interface Stored extends Position {
  readonly rendition: string;
  readonly parts: readonly number[];
  readonly whole: boolean;
  readonly ageMs: number;
}

const position = fc.record({ epoch: fc.integer({ min: 1, max: 3 }), msn: fc.integer({ min: 0, max: 30 }) });
const floor = fc.option(position, { nil: undefined });
const keepMs = fc.constantFrom(0, KEEP, Number.POSITIVE_INFINITY);
const stored = fc.uniqueArray(
  fc.record({
    epoch: fc.integer({ min: 1, max: 3 }),
    msn: fc.integer({ min: 0, max: 30 }),
    rendition: fc.constantFrom('v1', 'audio'),
    parts: fc.constantFrom([], [0], [0, 1, 2], [1]),
    whole: fc.boolean(),
    ageMs: fc.integer({ min: 0, max: 2 * KEEP }),
  }),
  { selector: ({ epoch, msn, rendition }) => `${epoch}/${rendition}/${msn}`, maxLength: 40 },
);

function listing(
  segments: readonly Stored[],
): readonly { readonly key: string; readonly modifiedAt: number }[] {
  const media = segments.flatMap(({ epoch, msn, rendition, parts, whole, ageMs }) =>
    [...parts.map((part) => `${msn}.${part}`), ...(whole ? [String(msn)] : [])].map((name) => ({
      key: `live/cam/${epoch}/${rendition}/${name}.m4s`,
      modifiedAt: NOW - ageMs,
    })),
  );
  const inits = new Set(segments.map(({ epoch, rendition }) => `live/cam/${epoch}/${rendition}/init.mp4`));
  const all = [...media, ...[...inits].map((key) => ({ key, modifiedAt: NOW - 2 * KEEP }))];
  return all.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

function sweep(objects: ReturnType<typeof listing>, state: RetentionState): ReadonlySet<string> {
  const plan = new SweepPlan();
  const keys = objects.flatMap((object) => plan.take(object, state));
  return new Set([...keys, ...plan.end(state)]);
}

describe('a sweep', () => {
  it('deletes what is due, nothing that is listed, needed or young, and nothing more a second time', () => {
    fc.assert(
      fc.property(stored, floor, floor, keepMs, (segments, unlistedBefore, partsUnlistedBefore, keep) => {
        const state: RetentionState = { now: NOW, keepMs: keep, unlistedBefore, partsUnlistedBefore };
        const objects = listing(segments);
        const deleted = sweep(objects, state);
        for (const { epoch, msn, rendition, parts, whole, ageMs } of segments) {
          const folder = `live/cam/${epoch}/${rendition}`;
          const segmentGoes =
            isBefore({ epoch, msn }, unlistedBefore) && ageMs >= Math.max(keep, LEAST_AGE_MS);
          const partsGo =
            segmentGoes || (whole && isBefore({ epoch, msn }, partsUnlistedBefore) && ageMs >= LEAST_AGE_MS);
          expect(deleted.has(`${folder}/${msn}.m4s`)).toBe(whole && segmentGoes);
          for (const part of parts) {
            expect(deleted.has(`${folder}/${msn}.${part}.m4s`)).toBe(partsGo);
          }
        }
        const left = objects.filter(({ key }) => !deleted.has(key));
        for (const { key } of left.filter((object) => object.key.endsWith('.m4s'))) {
          expect(deleted.has(key.replace(/[^/]+$/, 'init.mp4'))).toBe(false);
        }
        expect(sweep(left, state).size).toBe(0);
      }),
    );
  });

  it('comes to the same end when it is killed after any of its deletions', () => {
    fc.assert(
      fc.property(
        stored,
        position,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (segments, unlisted, share) => {
          const state = { now: NOW, keepMs: 0, unlistedBefore: unlisted, partsUnlistedBefore: unlisted };
          const objects = listing(segments);
          const deleted = [...sweep(objects, state)];
          const half = new Set(deleted.slice(0, Math.floor(deleted.length * share)));
          const rest = sweep(
            objects.filter(({ key }) => !half.has(key)),
            state,
          );
          expect([...half, ...rest].toSorted()).toEqual(deleted.toSorted());
        },
      ),
    );
  });

  it('deletes nothing while it is not known what playlists name', () => {
    const segment = { epoch: 1, msn: 0, parts: [], whole: { key: 'k', modifiedAt: 0 } };
    const state = { now: NOW, keepMs: 0, unlistedBefore: undefined, partsUnlistedBefore: undefined };
    expect(decideSegment(segment, state)).toEqual([]);
  });

  it('leaves objects of other forms alone, and the init segment beside them', () => {
    const names = ['init.mp4', 'notes.txt', '7.m4s.bak'];
    const objects = names.map((name) => ({ key: `live/cam/1/v1/${name}`, modifiedAt: 0 }));
    const floors = { epoch: 9, msn: 0 };
    const state = { now: NOW, keepMs: 0, unlistedBefore: floors, partsUnlistedBefore: floors };
    expect([...sweep(objects, state)]).toEqual([]);
  });
});

describe('what is not listed any more', () => {
  it('is known only after the longest playlist that may have named it', () => {
    let history: ListedHistory = [];
    const seen: (number | undefined)[] = [];
    for (let at = 0; at <= 600; at += 100) {
      history = noteListed(history, { at, from: { epoch: 1, msn: at } }, 250);
      seen.push(unlistedFor(history, at, 250)?.msn);
    }
    expect(seen).toEqual([undefined, undefined, undefined, 0, 100, 200, 300]);
    expect(history.length).toBeLessThanOrEqual(4);
  });

  it('is the oldest position of all that time', () => {
    const history = [5, 3, 9].map((msn, at) => ({ at, from: { epoch: 1, msn } }));
    expect(unlistedFor(history, 2, 1)).toEqual({ epoch: 1, msn: 3 });
  });
});

describe('the recording policy', () => {
  it('is "window", "forever" or a duration', () => {
    const keep = (text: unknown) => recordingSchema.safeParse({ keep: text }).data?.keepMs;
    expect(['window', 'forever', '7d', '90m'].map(keep)).toEqual([
      0,
      Number.POSITIVE_INFINITY,
      604_800_000,
      5_400_000,
    ]);
    expect(['', '7', '0d', '-1d', '7w', 7, null].map(keep)).toEqual(Array(7).fill(undefined));
  });
});
