import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMediaFileName, type MediaFile } from '#shared/identifiers.ts';
import { renderMultivariantPlaylist } from '#shared/playlist/multivariant-playlist.ts';
import type { PublishUpdate } from '#shared/wire/publish.ts';
import { describeMultivariantPlaylist } from './describe-multivariant.ts';
import { describeMediaPlaylist, skippableSegments } from './describe-playlists.ts';
import { nextMsnOf, type LiveWindow, type RenditionWindow } from './live-window.ts';
import { locateMedia } from './locate-media.ts';
import { renderWholePlaylist } from './playlist-text.ts';
import { decideReload } from './reload.ts';
import { allSegments } from './segment-list.ts';
import { takeUpdate } from './take-update.ts';
import { begin, framesOf, init, part, segment, segments, take, type Unnumbered } from './window-fixture.ts';

const START = [begin(), init('v'), init('a')];

function renditionOf(window: LiveWindow, name: string): RenditionWindow {
  const rendition = window.renditions.get(name);
  if (rendition === undefined) {
    throw new Error(`no rendition ${name}`);
  }
  return rendition;
}

function textOf(window: LiveWindow, name: string): string {
  return renderWholePlaylist(window, renditionOf(window, name));
}

function file(name: string): MediaFile {
  const parsed = parseMediaFileName(name);
  if (parsed === undefined) {
    throw new Error(`no media file ${name}`);
  }
  return parsed;
}

describe('media playlist of a live window', () => {
  it('lists segments, the parts of the last three target durations, hint and reports', () => {
    const window = take(undefined, 100, [
      ...START,
      ...segments(0, 4),
      ...segment('v', 4),
      part('v', 5, 0),
      part('a', 4, 0),
    ]);
    expect(textOf(window, 'v')).toBe(`#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12,HOLD-BACK=6,PART-HOLD-BACK=3
#EXT-X-PART-INF:PART-TARGET=1
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI="100-init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z
#EXTINF:2,
100-0.m4s
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:22.000Z
#EXTINF:2,
100-1.m4s
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:24.000Z
#EXTINF:2,
100-2.m4s
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:26.000Z
#EXT-X-PART:DURATION=1,URI="100-3.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=1,URI="100-3.1.m4s"
#EXTINF:2,
100-3.m4s
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:28.000Z
#EXT-X-PART:DURATION=1,URI="100-4.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=1,URI="100-4.1.m4s"
#EXTINF:2,
100-4.m4s
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:30.000Z
#EXT-X-PART:DURATION=1,URI="100-5.0.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="100-5.1.m4s"
#EXT-X-RENDITION-REPORT:URI="../a/index.m3u8",LAST-MSN=4,LAST-PART=0
`);
  });

  it('names at most the segments of its window and counts the discontinuities that left', () => {
    const first = take(undefined, 100, [...START, ...segments(0, 2)]);
    const second = take(first, 200, [begin(2), init('v'), init('a'), ...segments(2, 4)]);
    expect(textOf(second, 'v')).toContain('#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n');
    expect(textOf(second, 'v')).toContain(
      '100-1.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="200-init.mp4"\n#EXT-X-PROGRAM-DATE-TIME:',
    );
    const later = take(second, 200, segments(4, 12));
    expect(textOf(later, 'v')).toContain(
      '#EXT-X-MEDIA-SEQUENCE:2\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-DISC',
    );
    const last = take(later, 200, segments(12, 13));
    expect(textOf(last, 'v')).toContain(
      '#EXT-X-MEDIA-SEQUENCE:3\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n#EXT-X-MAP',
    );
  });

  it('ends with EXT-X-ENDLIST and without hint and reports', () => {
    const window = take(undefined, 100, [...START, ...segments(0, 2), part('v', 2, 0), { kind: 'end' }]);
    expect(textOf(window, 'v')).toMatch(/#EXTINF:1,\n100-2\.m4s\n#EXT-X-ENDLIST\n$/);
    expect(textOf(window, 'a')).toMatch(/#EXT-X-GAP\n#EXTINF:1,\n100-2\.m4s\n#EXT-X-ENDLIST\n$/);
  });

  it('skips exactly the segments before six target durations from the end', () => {
    const eight = take(undefined, 100, [...START, ...segments(0, 8)]);
    expect(skippableSegments(eight, renditionOf(eight, 'v'))).toBe(2);
    const five = take(undefined, 100, [...START, ...segments(0, 5)]);
    expect(skippableSegments(five, renditionOf(five, 'v'))).toBe(0);
  });

  it('hints the init segment of a coming discontinuity until its first part is there', () => {
    const first = take(undefined, 100, [...START, ...segments(0, 1)]);
    const begun = take(first, 200, [begin(1)]);
    const hint =
      '#EXT-X-PRELOAD-HINT:TYPE=MAP,URI="200-init.mp4"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="200-1.0.m4s"\n';
    expect(textOf(begun, 'v')).toContain(hint);
    expect(locateMedia(begun, 'v', file('200-init.mp4'))).toBe('hinted');
    const going = take(begun, 200, [init('v'), part('v', 1, 0)]);
    expect(textOf(going, 'v')).not.toContain('TYPE=MAP');
  });
});

describe('multivariant playlist of a live window', () => {
  it('is absent until a rendition has a part, then names all with their audio', () => {
    const begun = take(undefined, 100, [begin(0, ['low', 'high', 'a']), init('low')]);
    expect(describeMultivariantPlaylist(begun)).toBeUndefined();
    const described = describeMultivariantPlaylist(take(begun, 100, [part('low', 0, 0)]));
    expect(described?.variants.map((variant) => [variant.uri, variant.bandwidth, variant.codecs])).toEqual([
      ['low/index.m3u8', 1_128_000, 'avc1.64001f,mp4a.40.2'],
      ['high/index.m3u8', 1_128_000, 'avc1.64001f,mp4a.40.2'],
    ]);
  });

  it('raises BANDWIDTH to the peak seen and starts with the highest variant below the start bandwidth', () => {
    let window = take(undefined, 100, [begin(0, ['low', 'high']), init('low'), init('high')]);
    for (const update of framesOf(segment('high', 0), window.nextSeq)) {
      const bytes = update.update.kind === 'part' ? 500_000 : 0;
      const step = takeUpdate(window, 100, update.update, bytes);
      window = step.kind === 'taken' ? step.window : window;
    }
    const described = describeMultivariantPlaylist(window);
    expect(described && renderMultivariantPlaylist(described)).toBe(`#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=1000000,AVERAGE-BANDWIDTH=1000000,CODECS="avc1.64001f",RESOLUTION=1280x720,FRAME-RATE=30.000
low/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=4000000,AVERAGE-BANDWIDTH=4000000,CODECS="avc1.64001f",RESOLUTION=1280x720,FRAME-RATE=30.000
high/index.m3u8
`);
  });

  it('of an audio-only stream has the audio as its variant', () => {
    const window = take(undefined, 100, [begin(0, ['a']), init('a'), part('a', 0, 0)]);
    expect(describeMultivariantPlaylist(window)).toMatchObject({
      renditions: [],
      variants: [{ uri: 'a/index.m3u8', bandwidth: 128_000, codecs: 'mp4a.40.2', resolution: undefined }],
    });
  });
});

describe('a new epoch', () => {
  it('closes what the lost encoder left open, at one number in all renditions', () => {
    const lost = take(undefined, 100, [...START, ...segments(0, 1), ...segment('v', 1), part('v', 2, 0)]);
    expect(nextMsnOf(lost)).toBe(3);
    const next = take(lost, 200, [begin(3), init('v'), init('a'), part('v', 3, 0), part('a', 3, 0)]);
    expect(textOf(next, 'v')).toContain('#EXTINF:1,\n100-2.m4s\n#EXT-X-DISCONTINUITY\n');
    expect(textOf(next, 'a')).toContain(
      '100-0.m4s\n#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:22.000Z\n#EXT-X-GAP\n#EXTINF:2,\n100-1.m4s\n#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:24.000Z\n#EXT-X-GAP\n#EXTINF:1,\n100-2.m4s\n#EXT-X-DISCONTINUITY\n',
    );
    expect(locateMedia(next, 'a', file('100-2.m4s'))).toBe('absent');
    expect(locateMedia(next, 'v', file('100-2.m4s'))).toBe('published');
  });

  it('after the end starts an empty window whose numbers run on', () => {
    const ended = take(undefined, 100, [...START, ...segments(0, 2), { kind: 'end' }]);
    const window = take(ended, 200, [begin(2), init('v'), part('v', 2, 0)]);
    expect(textOf(window, 'v')).toContain(
      '#EXT-X-MEDIA-SEQUENCE:2\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n#EXT-X-MAP:URI="200-init.mp4"\n',
    );
  });

  it('at a higher number starts an empty window there', () => {
    const first = take(undefined, 100, [...START, ...segments(0, 2)]);
    const window = take(first, 200, [begin(50), init('v'), part('v', 50, 0)]);
    expect(textOf(window, 'v')).toContain('#EXT-X-MEDIA-SEQUENCE:50\n');
  });

  it('is stale when it is not newer or its numbers were used', () => {
    const window = take(undefined, 100, [...START, ...segments(0, 2)]);
    const answer = { status: 'stale', latestEpoch: 100, nextMsn: 2 };
    for (const [epoch, firstMsn] of [
      [99, 2],
      [100, 2],
      [200, 1],
    ] as const) {
      const [frame] = framesOf([begin(firstMsn)], 0);
      expect(frame && takeUpdate(window, epoch, frame.update, 0)).toEqual({ kind: 'refused', answer });
    }
  });

  it('without a rendition ends that playlist and leaves it out of the multivariant', () => {
    const first = take(undefined, 100, [...START, ...segments(0, 2)]);
    const window = take(first, 200, [begin(2, ['v']), init('v'), part('v', 2, 0)]);
    expect(textOf(window, 'a')).toMatch(/#EXT-X-ENDLIST\n$/);
    expect(textOf(window, 'v')).not.toContain('RENDITION-REPORT');
    expect(describeMultivariantPlaylist(window)?.renditions).toEqual([]);
  });
});

describe('blocking reload', () => {
  const window = take(undefined, 100, [...START, ...segments(0, 3), part('v', 3, 0), part('a', 3, 0)]);

  it.each([
    [undefined, undefined, 'now'],
    [2, undefined, 'now'],
    [2, 1, 'now'],
    [2, 2, 'now'],
    [2, 999, 'now'],
    [3, undefined, 'hold'],
    [3, 0, 'now'],
    [3, 1, 'hold'],
    [3, 9, 'hold'],
    [4, 0, 'hold'],
    [4, undefined, 'hold'],
    [5, 0, 'too-far'],
  ])('answers _HLS_msn=%s _HLS_part=%s with %s while 3.0 is the last part', (msn, index, kind) => {
    expect(decideReload(window, 'v', { msn, part: index }).kind).toBe(kind);
  });

  it('takes a part past the last of a complete segment for part 0 of the next', () => {
    const complete = take(undefined, 100, [...START, ...segments(0, 1)]);
    expect(decideReload(complete, 'v', { msn: 0, part: 2 }).kind).toBe('hold');
    const next = take(complete, 100, [part('v', 1, 0)]);
    expect(decideReload(next, 'v', { msn: 0, part: 2 }).kind).toBe('now');
  });

  it('ignores directives once the stream has ended', () => {
    const ended = take(window, 100, [{ kind: 'end' }]);
    expect(decideReload(ended, 'v', { msn: 4000, part: 0 }).kind).toBe('now');
  });

  it('knows no rendition that was not announced', () => {
    expect(decideReload(window, 'x', { msn: undefined, part: undefined }).kind).toBe('absent');
  });
});

describe('a media file', () => {
  const window = take(undefined, 100, [begin(5), init('v'), init('a'), ...segments(5, 20), part('v', 20, 0)]);

  it.each([
    ['100-init.mp4', 'published'],
    ['99-init.mp4', 'older'],
    ['101-init.mp4', 'absent'],
    ['100-20.0.m4s', 'published'],
    ['100-20.1.m4s', 'hinted'],
    ['100-20.2.m4s', 'absent'],
    ['100-20.m4s', 'absent'],
    ['100-21.0.m4s', 'absent'],
    ['100-19.m4s', 'published'],
    ['100-19.1.m4s', 'published'],
    ['100-19.2.m4s', 'absent'],
    ['100-6.1.m4s', 'older'],
    ['100-4.m4s', 'absent'],
    ['99-4.m4s', 'older'],
    ['99-19.m4s', 'absent'],
  ])('%s is %s', (name, location) => {
    expect(locateMedia(window, 'v', file(name))).toBe(location);
  });

  it('is hinted in the next segment once the open one is as long as the one before', () => {
    expect(locateMedia(window, 'v', file('100-21.0.m4s'))).toBe('absent');
    const full = take(window, 100, [part('v', 20, 1)]);
    expect(textOf(full, 'v')).toContain('#EXT-X-PRELOAD-HINT:TYPE=PART,URI="100-21.0.m4s"');
    expect(locateMedia(full, 'v', file('100-21.0.m4s'))).toBe('hinted');
    expect(locateMedia(full, 'v', file('100-21.1.m4s'))).toBe('absent');
  });

  it('that was hinted is given up when its segment is complete without it', () => {
    const open = take(window, 100, [part('v', 20, 1)]);
    expect(locateMedia(open, 'v', file('100-20.2.m4s'))).toBe('hinted');
    const complete = take(open, 100, [{ kind: 'segment', rendition: 'v', msn: 20, parts: 2 }]);
    expect(locateMedia(complete, 'v', file('100-20.2.m4s'))).toBe('absent');
  });
});

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

/** Commands of a random origin: what it sends next, or something that happens to it. */
const command = fc.constantFrom('part', 'segment', 'repeat', 'gap', 'restart', 'end');

describe('any course of publishing', () => {
  it('keeps numbers without gap, alike in all renditions', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(command, fc.boolean()), { maxLength: 60 }), (commands) => {
        let epoch = 100;
        let window = take(undefined, epoch, [begin(7)]);
        const sent: PublishUpdate[] = [];
        const send = (update: Unnumbered): void => {
          const [frame] = framesOf([update], window.epoch === epoch ? window.nextSeq : 0);
          const step = frame && takeUpdate(window, epoch, frame.update, 1);
          if (frame !== undefined && step?.kind === 'taken') {
            window = step.window;
            sent.push(frame.update);
          }
        };
        const sendInits = (): void => {
          for (const rendition of ['v', 'a']) {
            send(init(rendition));
          }
        };
        sendInits();
        for (const [what, first] of commands) {
          const name = first ? 'v' : 'a';
          const rendition = renditionOf(window, name);
          const parts = rendition.open?.parts.length ?? 0;
          if (what === 'part' && !window.ended) {
            send(part(name, rendition.nextMsn, parts));
          } else if (what === 'segment' && parts > 0) {
            send({ kind: 'segment', rendition: name, msn: rendition.nextMsn, parts });
          } else if (what === 'repeat') {
            const again = sent.at(-1);
            expect(again && takeUpdate(window, epoch, again, 1)).toEqual({ kind: 'repeat' });
          } else if (what === 'gap') {
            const [frame] = framesOf([part(name, 0, 0)], window.nextSeq + 1);
            expect(frame && takeUpdate(window, epoch, frame.update, 1)).toEqual({
              kind: 'refused',
              answer: { status: 'gap', next: window.nextSeq },
            });
          } else if (what === 'restart') {
            epoch += 1;
            send(begin(nextMsnOf(window)));
            sendInits();
          } else if (what === 'end' && !window.ended) {
            send({ kind: 'end' });
          }
          checkInvariants(window);
        }
      }),
      { numRuns: 200 },
    );
  });
});

function checkInvariants(window: LiveWindow): void {
  const video = renditionOf(window, 'v');
  const audio = renditionOf(window, 'a');
  for (const rendition of [video, audio]) {
    const numbers = allSegments(rendition.segments).map((each) => each.msn);
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
    expect(numbers.length).toBeLessThanOrEqual(10);
    if (numbers.length > 0) {
      expect(rendition.nextMsn).toBe((numbers.at(-1) ?? 0) + 1);
    }
    checkDiscontinuities(rendition, window);
  }
  for (const left of allSegments(video.segments)) {
    const right = allSegments(audio.segments).find((each) => each.msn === left.msn);
    expect(right?.discontinuitySequence ?? left.discontinuitySequence).toBe(left.discontinuitySequence);
  }
}

/** The discontinuity sequence number of each segment follows from the playlist's text alone. */
function checkDiscontinuities(rendition: RenditionWindow, window: LiveWindow): void {
  const segmentsListed = allSegments(rendition.segments);
  let sequence = describeMediaPlaylist(window, rendition, segmentsListed).discontinuitySequence;
  for (const each of segmentsListed) {
    sequence += each.discontinuity ? 1 : 0;
    expect(sequence).toBe(each.discontinuitySequence);
  }
}
