import { describe, expect, it } from 'vitest';
import { decideReload } from './reload.ts';
import { START, part, segments, take } from './window-fixture.ts';

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
