import { describe, expect, it } from 'vitest';
import { describeMultivariantPlaylist } from './describe-multivariant.ts';
import { nextMsnOf } from './live-window.ts';
import { locateMedia } from './locate-media.ts';
import { takeUpdate } from './take-update.ts';
import {
  START,
  begin,
  file,
  framesOf,
  init,
  part,
  segment,
  segments,
  take,
  textOf,
} from './window-fixture.ts';

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
