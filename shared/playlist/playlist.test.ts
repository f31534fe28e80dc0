import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MediaPlaylist, MediaSegment, SegmentOpening } from './media-playlist.ts';
import {
  parseMultivariantPlaylist,
  renderMultivariantPlaylist,
  type MultivariantPlaylist,
} from './multivariant-playlist.ts';
import { parseMediaPlaylist } from './parse-media-playlist.ts';
import { renderMediaPlaylist } from './render-media-playlist.ts';

const LIVE: MediaPlaylist = {
  version: 9,
  independentSegments: true,
  targetDuration: 2,
  partTarget: 0.5,
  serverControl: {
    kind: 'server-control',
    canBlockReload: true,
    canSkipUntil: 12,
    canSkipDateranges: false,
    holdBack: 6,
    partHoldBack: 1.5,
  },
  mediaSequence: 40,
  discontinuitySequence: 1,
  skippedSegments: 0,
  segments: [
    {
      uri: '7-40.m4s',
      duration: 2,
      title: '',
      gap: false,
      discontinuity: false,
      map: '7-init.mp4',
      programDateTime: 1_700_000_000_000,
      parts: [],
    },
    {
      uri: '7-41.m4s',
      duration: 2,
      title: '',
      gap: true,
      discontinuity: false,
      map: '7-init.mp4',
      programDateTime: 1_700_000_002_000,
      parts: [],
    },
    {
      uri: '9-42.m4s',
      duration: 1.001,
      title: '',
      gap: false,
      discontinuity: true,
      map: '9-init.mp4',
      programDateTime: 1_700_000_004_000,
      parts: [
        { kind: 'part', uri: '9-42.0.m4s', duration: 0.5005, independent: true, gap: false },
        { kind: 'part', uri: '9-42.1.m4s', duration: 0.5005, independent: false, gap: false },
      ],
    },
  ],
  open: {
    discontinuity: false,
    map: '9-init.mp4',
    programDateTime: 1_700_000_005_001,
    parts: [{ kind: 'part', uri: '9-43.0.m4s', duration: 0.5, independent: true, gap: false }],
  },
  preloadHints: [{ kind: 'preload-hint', type: 'PART', uri: '9-43.1.m4s' }],
  renditionReports: [{ kind: 'rendition-report', uri: '../audio/index.m3u8', lastMsn: 43, lastPart: 0 }],
  ended: false,
};

const LIVE_TEXT = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12,HOLD-BACK=6,PART-HOLD-BACK=1.5
#EXT-X-PART-INF:PART-TARGET=0.5
#EXT-X-MEDIA-SEQUENCE:40
#EXT-X-DISCONTINUITY-SEQUENCE:1
#EXT-X-MAP:URI="7-init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z
#EXTINF:2,
7-40.m4s
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:22.000Z
#EXT-X-GAP
#EXTINF:2,
7-41.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="9-init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:24.000Z
#EXT-X-PART:DURATION=0.5005,URI="9-42.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.5005,URI="9-42.1.m4s"
#EXTINF:1.001,
9-42.m4s
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:25.001Z
#EXT-X-PART:DURATION=0.5,URI="9-43.0.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="9-43.1.m4s"
#EXT-X-RENDITION-REPORT:URI="../audio/index.m3u8",LAST-MSN=43,LAST-PART=0
`;

const MULTIVARIANT: MultivariantPlaylist = {
  version: 9,
  independentSegments: true,
  renditions: [
    {
      type: 'AUDIO',
      groupId: 'audio',
      name: 'audio',
      isDefault: true,
      autoselect: true,
      language: undefined,
      channels: '2',
      instreamId: undefined,
      uri: 'audio/index.m3u8',
    },
    {
      type: 'CLOSED-CAPTIONS',
      groupId: 'captions',
      name: 'English',
      isDefault: false,
      autoselect: true,
      language: 'en',
      channels: undefined,
      instreamId: 'CC1',
      uri: undefined,
    },
  ],
  variants: [
    {
      uri: '720p/index.m3u8',
      bandwidth: 3_128_000,
      averageBandwidth: 2_900_000,
      codecs: 'avc1.64001f,mp4a.40.2',
      resolution: { width: 1280, height: 720 },
      frameRate: 29.97,
      score: 2,
      videoRange: 'PQ',
      audio: 'audio',
      closedCaptions: { groupId: 'captions' },
    },
  ],
};

const MULTIVARIANT_TEXT = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="audio",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio/index.m3u8"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="captions",NAME="English",LANGUAGE="en",AUTOSELECT=YES,INSTREAM-ID="CC1"
#EXT-X-STREAM-INF:BANDWIDTH=3128000,AVERAGE-BANDWIDTH=2900000,SCORE=2,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970,VIDEO-RANGE=PQ,AUDIO="audio",CLOSED-CAPTIONS="captions"
720p/index.m3u8
`;

const micros = fc.integer({ min: 0, max: 60_000_000 }).map((value) => value / 1_000_000);
const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const uri = fc.stringMatching(/^[a-z0-9][a-z0-9./_-]{0,30}$/);
const quotable = fc.stringMatching(/^[^"\r\n]{0,20}$/);
const part = fc.record({
  kind: fc.constant('part' as const),
  uri,
  duration: micros,
  independent: fc.boolean(),
  gap: fc.boolean(),
});
const opening = {
  discontinuity: fc.boolean(),
  programDateTime: fc.option(fc.integer({ min: 0, max: 4_000_000_000_000 }), { nil: undefined }),
  parts: fc.array(part, { maxLength: 4 }),
};
const segment = fc.record({ uri, duration: micros, title: fc.constant(''), gap: fc.boolean(), ...opening });
const mediaPlaylist: fc.Arbitrary<MediaPlaylist> = fc
  .record({
    version: fc.integer({ min: 1, max: 12 }),
    independentSegments: fc.boolean(),
    targetDuration: fc.integer({ min: 1, max: 60 }),
    partTarget: fc.option(micros, { nil: undefined }),
    serverControl: fc.option(
      fc.record({
        kind: fc.constant('server-control' as const),
        canBlockReload: fc.boolean(),
        canSkipUntil: fc.option(micros, { nil: undefined }),
        canSkipDateranges: fc.boolean(),
        holdBack: fc.option(micros, { nil: undefined }),
        partHoldBack: fc.option(micros, { nil: undefined }),
      }),
      { nil: undefined },
    ),
    mediaSequence: count,
    discontinuitySequence: count,
    segments: fc.array(segment, { maxLength: 6 }),
    open: fc.option(fc.record({ ...opening, parts: fc.array(part, { minLength: 1, maxLength: 4 }) }), {
      nil: undefined,
    }),
    preloadHints: fc.array(
      fc.record({
        kind: fc.constant('preload-hint' as const),
        type: fc.constantFrom('PART' as const, 'MAP' as const),
        uri,
      }),
      { maxLength: 2 },
    ),
    renditionReports: fc.array(
      fc.record({
        kind: fc.constant('rendition-report' as const),
        uri: quotable,
        lastMsn: count,
        lastPart: fc.option(count, { nil: undefined }),
      }),
      { maxLength: 3 },
    ),
    ended: fc.boolean(),
    maps: fc.array(uri, { minLength: 7, maxLength: 7 }),
  })
  .map(({ maps, segments, open, ...rest }) => ({
    ...rest,
    skippedSegments: 0,
    segments: segments.map((each, index): MediaSegment => ({ ...each, map: maps[index] })),
    open: open === undefined ? undefined : ({ ...open, map: maps[6] } satisfies SegmentOpening),
  }));

describe('media playlist', () => {
  it('is rendered with every tag in its place', () => {
    expect(renderMediaPlaylist(LIVE)).toBe(LIVE_TEXT);
  });

  it('is read back as the same model', () => {
    expect(parseMediaPlaylist(LIVE_TEXT)).toEqual({ ok: true, value: LIVE });
    fc.assert(
      fc.property(mediaPlaylist, (playlist) => {
        expect(parseMediaPlaylist(renderMediaPlaylist(playlist))).toEqual({ ok: true, value: playlist });
      }),
      { numRuns: 200 },
    );
  });

  it('as a delta update replaces the oldest segments by one EXT-X-SKIP and keeps the map in force', () => {
    const text = renderMediaPlaylist({ ...LIVE, version: 6 }, { skip: 1 });
    expect(text).toContain('#EXT-X-VERSION:9\n');
    expect(text).toContain(
      '#EXT-X-DISCONTINUITY-SEQUENCE:1\n#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:22.000Z\n#EXT-X-GAP\n',
    );
    const parsed = parseMediaPlaylist(text);
    expect(parsed.ok && [parsed.value.skippedSegments, parsed.value.segments.length]).toEqual([1, 2]);
  });

  it('that has ended closes with EXT-X-ENDLIST', () => {
    const ended = { ...LIVE, open: undefined, preloadHints: [], renditionReports: [], ended: true };
    expect(renderMediaPlaylist(ended)).toMatch(/9-42\.m4s\n#EXT-X-ENDLIST\n$/);
  });

  it('ignores unknown tags, comments and carriage returns', () => {
    const text = '#EXTM3U\r\n# a comment\r\n#EXT-X-FUTURE:A=1\r\n#EXT-X-TARGETDURATION:2\r\n';
    expect(parseMediaPlaylist(text)).toMatchObject({ ok: true, value: { targetDuration: 2, segments: [] } });
  });

  it.each([
    ['', 1, 'a playlist starts with #EXTM3U'],
    ['#EXTM3U\n#EXTINF:2,\n', 3, 'EXT-X-TARGETDURATION is missing'],
    ['#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n', 4, 'the last EXTINF has no URI'],
    ['#EXTM3U\na.m4s', 2, 'a segment has no EXTINF'],
    ['#EXTM3U\n#EXT-X-VERSION:-1', 2, 'EXT-X-VERSION is no decimal integer below 2^53'],
    ['#EXTM3U\n#EXTINF:1e3,', 2, 'EXTINF is no decimal number'],
    ['#EXTM3U\n#EXT-X-PART:URI="a",URI="b"', 2, 'attribute URI is there twice'],
    ['#EXTM3U\n#EXT-X-PART:URI="a"', 2, 'DURATION is missing'],
    ['#EXTM3U\n#EXT-X-PART:', 2, 'attribute list ends where an attribute was expected'],
    ['#EXTM3U\n#EXT-X-PART:URI="a",', 2, 'attribute list ends where an attribute was expected'],
    ['#EXTM3U\n#EXT-X-MAP:URI=a', 2, 'URI is no quoted string'],
  ])('names the line that breaks the grammar in %j', (text, line, detail) => {
    expect(parseMediaPlaylist(text)).toEqual({
      ok: false,
      failure: { reason: 'malformed', line, detail },
    });
  });
});

describe('multivariant playlist', () => {
  it('is rendered and read back', () => {
    expect(renderMultivariantPlaylist(MULTIVARIANT)).toBe(MULTIVARIANT_TEXT);
    expect(parseMultivariantPlaylist(MULTIVARIANT_TEXT)).toEqual({ ok: true, value: MULTIVARIANT });
  });

  it('round-trips any renditions and variants', () => {
    const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
      fc.option(value, { nil: undefined });
    const variant = fc.record({
      uri,
      bandwidth: count,
      averageBandwidth: optional(count),
      codecs: optional(quotable),
      resolution: optional(fc.record({ width: count, height: count })),
      frameRate: optional(fc.integer({ min: 0, max: 240_000 }).map((value) => value / 1000)),
      score: optional(micros),
      videoRange: optional(fc.constantFrom('SDR', 'HLG', 'PQ')),
      audio: optional(quotable),
      closedCaptions: optional(fc.oneof(fc.constant('NONE' as const), fc.record({ groupId: quotable }))),
    });
    const rendition = fc.record({
      type: fc.constantFrom(...(['AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS'] as const)),
      groupId: quotable,
      name: quotable,
      isDefault: fc.boolean(),
      autoselect: fc.boolean(),
      language: optional(quotable),
      channels: optional(quotable),
      instreamId: optional(quotable),
      uri: optional(quotable),
    });
    fc.assert(
      fc.property(
        fc.record({
          version: fc.integer({ min: 1, max: 12 }),
          independentSegments: fc.boolean(),
          renditions: fc.array(rendition, { maxLength: 3 }),
          variants: fc.array(variant, { maxLength: 4 }),
        }),
        (playlist) => {
          const text = renderMultivariantPlaylist(playlist);
          expect(parseMultivariantPlaylist(text)).toEqual({ ok: true, value: playlist });
        },
      ),
    );
  });

  it('insists on a URI after EXT-X-STREAM-INF', () => {
    expect(parseMultivariantPlaylist('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-VERSION:9')).toEqual({
      ok: false,
      failure: { reason: 'malformed', line: 3, detail: 'EXT-X-STREAM-INF is not followed by a URI' },
    });
  });
});

describe('garbage', () => {
  it('comes back as a failure or a playlist, never as an unnamed error', () => {
    const names = ['#EXT-X-PART:', '#EXTINF:', '#EXT-X-STREAM-INF:', '#EXT-X-MEDIA:', '#EXT-X-SKIP:', ''];
    const line = fc.tuple(fc.constantFrom(...names), fc.string()).map(([name, rest]) => name + rest);
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const text = ['#EXTM3U', ...lines].join('\n');
        for (const result of [parseMediaPlaylist(text), parseMultivariantPlaylist(text)]) {
          expect(result.ok || result.failure.reason).toBeTruthy();
        }
      }),
    );
  });
});
