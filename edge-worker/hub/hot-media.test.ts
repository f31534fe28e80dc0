import { describe, expect, it } from 'vitest';
import { HotMedia } from './hot-media.ts';

const address = (msn: number, part: number) => ({ rendition: 'v', epoch: 1, msn, part });

describe('hot media', () => {
  it('lets the oldest segments go first when its budget is spent, and never an init segment', () => {
    const hot = new HotMedia({ bytes: 100, segments: 10 });
    hot.addInit('v', 1, new Uint8Array(500));
    for (let msn = 0; msn < 5; msn += 1) {
      hot.addPart(address(msn, 0), new Uint8Array(20));
      hot.addPart(address(msn, 1), new Uint8Array(20));
    }
    expect(hot.bytes).toBe(80);
    expect([2, 3, 4].map((msn) => hot.segment(address(msn, 0), 2)?.length)).toEqual([undefined, 40, 40]);
    expect(hot.init('v', 1)?.length).toBe(500);
  });

  it('holds no more segments of a rendition than it may, however small they are', () => {
    const hot = new HotMedia({ bytes: 1_000, segments: 2 });
    for (const rendition of ['v', 'a']) {
      hot.addInit(rendition, 1, new Uint8Array(1));
    }
    for (let msn = 0; msn < 5; msn += 1) {
      for (const rendition of ['v', 'a']) {
        hot.addPart({ ...address(msn, 0), rendition }, new Uint8Array(1));
      }
    }
    expect(hot.bytes).toBe(4);
    expect([2, 3, 4].map((msn) => hot.segment(address(msn, 0))?.length)).toEqual([undefined, 1, 1]);
  });

  it('makes no whole segment while one of its parts is missing', () => {
    const hot = new HotMedia({ bytes: 100, segments: 10 });
    hot.addPart(address(0, 1), new Uint8Array(1));
    expect(hot.segment(address(0, 0), 2)).toBeUndefined();
    expect(hot.segment(address(0, 0), 1)).toBeUndefined();
    expect(hot.segment(address(0, 0))).toBeUndefined();
    hot.addPart(address(1, 0), new Uint8Array(1));
    hot.addPart(address(1, 1), new Uint8Array(1));
    expect(hot.segment(address(1, 0))).toHaveLength(2);
  });

  it('keeps its own copy of the bytes', () => {
    const hot = new HotMedia({ bytes: 100, segments: 10 });
    const body = new Uint8Array([1, 2, 3]);
    hot.addPart(address(0, 0), body.subarray(1));
    body.fill(9);
    expect(hot.part(address(0, 0))).toEqual(new Uint8Array([2, 3]));
  });

  it('lets init segments go that no playlist names any more', () => {
    const hot = new HotMedia({ bytes: 100, segments: 10 });
    hot.addInit('v', 1, new Uint8Array(1));
    hot.addInit('v', 2, new Uint8Array(1));
    hot.addInit('a', 1, new Uint8Array(1));
    hot.retainInits(new Map([['v', 2]]));
    expect([hot.init('v', 1), hot.init('v', 2)?.length, hot.init('a', 1)]).toEqual([undefined, 1, undefined]);
  });
});
