import { describe, expect, it } from 'vitest';
import { locateMedia } from './locate-media.ts';
import { begin, file, init, part, segments, take, textOf } from './window-fixture.ts';

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
