import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MediaPlaylist, MediaSegment } from '../../shared/playlist/media-playlist.ts';
import { parseMediaPlaylist } from '../../shared/playlist/parse-media-playlist.ts';
import { renderMediaPlaylist } from '../../shared/playlist/render-media-playlist.ts';
import { oldestFetched, trimToTimeShift } from './rewrite-time-shift.ts';

const TARGET_DURATION = 2;
const HOLD_BACK = 6;
const CAN_SKIP_UNTIL = 12;
const FIRST_MSN = 40;
const MICROS = 1_000_000;

/** What differs from one segment to the next. */
interface Turn {
  readonly millis: number;
  /** Begins with a discontinuity and another init segment. */
  readonly isNewEpoch: boolean;
  readonly gap: boolean;
}

const turns = fc.array(
  fc.record({
    millis: fc.integer({ min: 1, max: 2_400 }),
    isNewEpoch: fc.integer({ min: 0, max: 5 }).map((value) => value === 0),
    gap: fc.boolean(),
  }),
  { maxLength: 40 },
);
const limits = fc.oneof(fc.integer({ min: 0, max: 90 }), fc.double({ min: 0, max: 90, noNaN: true }));

function playlistOf(list: readonly Turn[], { ended = false, openParts = 1 } = {}): MediaPlaylist {
  const segments: MediaSegment[] = [];
  let epoch = 1;
  for (const [index, { millis, isNewEpoch, gap }] of list.entries()) {
    epoch += isNewEpoch ? 1 : 0;
    segments.push({
      uri: `${epoch}-${FIRST_MSN + index}.m4s`,
      ...{ duration: millis / 1000, title: '', gap, discontinuity: isNewEpoch },
      ...{ map: `${epoch}-init.mp4`, programDateTime: 1_700_000_000_000 + index * 1000 },
      parts: index < list.length - 2 ? [] : [part(`${epoch}-${FIRST_MSN + index}.0.m4s`, millis / 1000)],
    });
  }
  const openName = `${epoch}-${FIRST_MSN + list.length}`;
  const parts = Array.from({ length: openParts }, (_, index) => part(`${openName}.${index}.m4s`, 0.5));
  return {
    ...{ version: 9, independentSegments: true, targetDuration: TARGET_DURATION, partTarget: 0.5 },
    serverControl: {
      kind: 'server-control',
      ...{ canBlockReload: true, canSkipUntil: CAN_SKIP_UNTIL, canSkipDateranges: false },
      ...{ holdBack: HOLD_BACK, partHoldBack: 1.5 },
    },
    ...{ mediaSequence: FIRST_MSN, discontinuitySequence: 3, skippedSegments: 0, segments },
    open:
      openParts === 0
        ? undefined
        : { discontinuity: false, map: `${epoch}-init.mp4`, programDateTime: undefined, parts },
    preloadHints: ended ? [] : [{ kind: 'preload-hint', type: 'PART', uri: `${openName}.${openParts}.m4s` }],
    renditionReports: ended
      ? []
      : [{ kind: 'rendition-report', uri: '../audio/index.m3u8', lastMsn: FIRST_MSN, lastPart: 0 }],
    ended,
  };
}

function part(uri: string, duration: number): MediaSegment['parts'][number] {
  return { kind: 'part', uri, duration, independent: true, gap: false };
}

/** How many segments end further before the end of the last than so many seconds. */
function countBeyond(segments: readonly MediaSegment[], seconds: number): number {
  const after = (index: number): number =>
    segments.slice(index + 1).reduce((sum, { duration }) => sum + Math.round(duration * MICROS), 0);
  return segments.filter((_, index) => after(index) > Math.round(seconds * MICROS)).length;
}

function withoutFirst(playlist: MediaPlaylist, count: number): MediaPlaylist {
  const removed = playlist.segments.slice(0, count);
  return {
    ...playlist,
    mediaSequence: playlist.mediaSequence + count,
    discontinuitySequence:
      playlist.discontinuitySequence + removed.filter(({ discontinuity }) => discontinuity).length,
    segments: playlist.segments.slice(count),
  };
}

function trim(playlist: MediaPlaylist, seconds: number, asksForDelta = false): MediaPlaylist {
  const parsed = parseMediaPlaylist(
    trimToTimeShift(renderMediaPlaylist(playlist), { seconds, asksForDelta }),
  );
  if (!parsed.ok) {
    throw new Error(JSON.stringify(parsed.failure));
  }
  return parsed.value;
}

describe('a media playlist under a time-shift limit', () => {
  it('reads as if the segments beyond the limit had been taken out of what it says', () => {
    fc.assert(
      fc.property(
        turns,
        limits,
        fc.boolean(),
        fc.integer({ min: 0, max: 3 }),
        (list, seconds, ended, openParts) => {
          const playlist = playlistOf(list, { ended, openParts });
          const count = countBeyond(playlist.segments, Math.max(seconds, HOLD_BACK));
          expect(trim(playlist, seconds)).toEqual(withoutFirst(playlist, count));
        },
      ),
    );
  });

  it('never brings a segment back while the stream goes on', () => {
    fc.assert(
      fc.property(turns, limits, (list, seconds) => {
        let last = 0;
        for (let length = 0; length <= list.length; length += 1) {
          for (const openParts of [0, 3]) {
            const { mediaSequence } = trim(playlistOf(list.slice(0, length), { openParts }), seconds);
            expect(mediaSequence).toBeGreaterThanOrEqual(last);
            last = mediaSequence;
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('says as a delta update what it says as a whole, and skips nothing before the skip boundary', () => {
    fc.assert(
      fc.property(turns, limits, (list, seconds) => {
        const whole = trim(playlistOf(list), seconds);
        const delta = trim(playlistOf(list), seconds, true);
        const { skippedSegments: skipped } = delta;
        expect(skipped).toBe(countBeyond(whole.segments, CAN_SKIP_UNTIL));
        const withMaps = delta.segments.map((segment, index) => ({
          ...segment,
          map: segment.map ?? whole.segments[skipped + index]?.map,
        }));
        const { open } = whole;
        expect({ ...delta, skippedSegments: 0, segments: withMaps, open }).toEqual({
          ...whole,
          segments: whole.segments.slice(skipped),
        });
      }),
    );
  });

  it('keeps the init segment and the keys that are in force before the first segment that stays', () => {
    const header = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:7\n';
    const key = (format: string): string => `#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k",KEYFORMAT="${format}"\n`;
    const segment = (msn: number): string => `#EXTINF:1,\n${msn}.m4s\n`;
    const first = `#EXT-X-KEY:METHOD=NONE\n#EXT-X-MAP:URI="a"\n${segment(7)}`;
    const second = `${key('x')}${key('y')}#EXT-X-MAP:URI="b"\n${segment(8)}`;
    const rest = [9, 10, 11, 12].map(segment).join('');
    expect(trimToTimeShift(header + first + second + rest, { seconds: 0, asksForDelta: true }))
      .toBe(`#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:9
${key('x')}${key('y')}#EXT-X-MAP:URI="b"\n${rest}`);
  });

  it('is left alone where it is none', () => {
    for (const text of ['', '\n', '#EXTM3U', '{"error":"x"}']) {
      expect(trimToTimeShift(text, { seconds: 0, asksForDelta: true })).toBe(text);
      expect(oldestFetched(text, 0)).toBeUndefined();
    }
  });
});

describe('the oldest segment to fetch', () => {
  it('is one HOLD-BACK older than the oldest that is listed', () => {
    fc.assert(
      fc.property(turns, limits, (list, seconds) => {
        const playlist = playlistOf(list);
        const count = countBeyond(playlist.segments, Math.max(seconds, HOLD_BACK) + HOLD_BACK);
        expect(oldestFetched(renderMediaPlaylist(playlist), seconds)).toEqual({
          msn: FIRST_MSN + count,
          targetDuration: TARGET_DURATION,
        });
      }),
    );
  });
});
