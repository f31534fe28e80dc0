import { describe, expect, it } from 'vitest';
import { skippableSegments } from './describe-playlists.ts';
import { locateMedia } from './locate-media.ts';
import {
  START,
  begin,
  file,
  init,
  part,
  renditionOf,
  segment,
  segments,
  take,
  textOf,
} from './window-fixture.ts';

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
