/** Delivery directives, rfc8216bis §6.2.5; numbers as in docs/ll-hls.md. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { begin, init, part, segment, segments } from '../../edge-worker/hub/window-fixture.ts';
import { isHeld, startBareEdge, type BareEdge, type HandMadeStream } from './bare-edge.ts';

const START = [begin(), init('v'), init('a')];
const LIMIT_MS = 5000;

let edge: BareEdge;

beforeAll(async () => {
  edge = await startBareEdge();
});

afterAll(async () => {
  await edge?.close();
});

/** A stream whose newest segment is 5, with one part there of two. */
function liveStream(name: string): Promise<HandMadeStream> {
  return edge.publish(name, ...START, ...segments(0, 5), part('v', 5, 0), part('a', 5, 0));
}

describe('rule 14: a blocking reload', () => {
  test('with _HLS_msn and _HLS_part is held until that part is there, then has the whole playlist', async () => {
    const stream = await liveStream('hold-part');
    const reload = stream.get('v/index.m3u8?_HLS_msn=5&_HLS_part=1');
    expect(await isHeld(reload)).toBe(true);
    await stream.publish(part('v', 5, 1));
    const answer = await reload;
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(`URI="${stream.epoch}-5.1.m4s"`);
    expect(answer.text).toBe((await stream.get('v/index.m3u8')).text);
  });

  test('with _HLS_msn alone is held until the segment is complete, not only begun', async () => {
    const stream = await liveStream('hold-segment');
    const reload = stream.get('v/index.m3u8?_HLS_msn=5');
    await stream.publish(part('v', 5, 1));
    expect(await isHeld(reload)).toBe(true);
    await stream.publish({ kind: 'segment', rendition: 'v', msn: 5, parts: 2 });
    expect((await reload).text).toContain(`\n${stream.epoch}-5.m4s\n`);
  });

  test('for a part past the last of a complete segment waits for part 0 of the next', async () => {
    const stream = await edge.publish('hold-next', ...START, ...segments(0, 5));
    const reloads = [2, 7].map((past) => stream.get(`v/index.m3u8?_HLS_msn=4&_HLS_part=${past}`));
    expect(await Promise.all(reloads.map(isHeld))).toEqual([true, true]);
    await stream.publish(part('v', 5, 0));
    for (const answer of await Promise.all(reloads)) {
      expect(answer.text).toContain(`URI="${stream.epoch}-5.0.m4s"`);
    }
  });

  test('is not released by another rendition', async () => {
    const stream = await liveStream('hold-other');
    const reload = stream.get('v/index.m3u8?_HLS_msn=5&_HLS_part=1');
    await stream.publish(part('a', 5, 1));
    expect(await isHeld(reload)).toBe(true);
    await stream.publish(part('v', 5, 1));
    expect((await reload).status).toBe(200);
  });

  test.each([
    '_HLS_msn=5&_HLS_part=0',
    '_HLS_msn=4',
    '_HLS_msn=4&_HLS_part=1',
    '_HLS_msn=0',
    '_HLS_msn=3&_HLS_part=900',
  ])('for what is there already (%s) is answered at once with the whole current playlist', async (query) => {
    const stream = await liveStream('there');
    const answer = await stream.get(`v/index.m3u8?${query}`);
    expect(answer.text).toBe((await stream.get('v/index.m3u8')).text);
  });

  test('releases every held request in one turn', async () => {
    const stream = await liveStream('hold-many');
    const reloads = Array.from({ length: 50 }, () => stream.get('v/index.m3u8?_HLS_msn=5&_HLS_part=1'));
    expect(await isHeld(Promise.race(reloads))).toBe(true);
    await stream.publish(part('v', 5, 1));
    const answers = await Promise.all(reloads);
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
  });
});

describe('rule 15: a directive that cannot be followed is answered 400, at once', () => {
  const HUGE = `1${'0'.repeat(30)}`;

  test.each([
    ['_HLS_part without _HLS_msn', '_HLS_part=0'],
    ['three segments ahead', '_HLS_msn=8'],
    ['10^30', `_HLS_msn=${HUGE}`],
    ['10^30 as a part', `_HLS_msn=5&_HLS_part=${HUGE}`],
    ['a minus sign', '_HLS_msn=-1'],
    ['a plus sign', '_HLS_msn=%2B5'],
    ['a minus sign on the part', '_HLS_msn=5&_HLS_part=-1'],
    ['an exponent', '_HLS_msn=5e0'],
    ['a fraction', '_HLS_msn=5.0'],
    ['hexadecimal', '_HLS_msn=0x5'],
    ['a leading space', '_HLS_msn=%205'],
    ['a trailing space', '_HLS_msn=5+'],
    ['a word', '_HLS_msn=NaN'],
    ['digits that are not ASCII', '_HLS_msn=%D9%A5'],
    ['a null byte', '_HLS_msn=5%00'],
    ['no value', '_HLS_msn'],
    ['an empty value', '_HLS_msn='],
    ['an empty part', '_HLS_msn=5&_HLS_part='],
    ['a repetition', '_HLS_msn=4&_HLS_msn=4'],
    ['a contradiction', '_HLS_msn=4&_HLS_msn=5'],
    ['a repeated part', '_HLS_msn=4&_HLS_part=0&_HLS_part=0'],
    ['a broken escape', '_HLS_msn=%ZZ'],
  ])('%s', async (_, query) => {
    const stream = await liveStream('bad-directive');
    const asked = performance.now();
    const answer = await stream.get(`v/index.m3u8?${query}`);
    expect(answer.status).toBe(400);
    expect(performance.now() - asked).toBeLessThan(LIMIT_MS);
    expect(answer.headers['content-type']).toContain('application/json');
  });

  test('two segments ahead is no mistake and is held', async () => {
    const stream = await edge.publish('ahead', ...START, ...segments(0, 5));
    const reload = stream.get('v/index.m3u8?_HLS_msn=6&_HLS_part=0');
    expect(await isHeld(reload)).toBe(true);
    await stream.publish(...segment('v', 5), part('v', 6, 0));
    expect((await reload).status).toBe(200);
  });

  test('order and repetition of other parameters do not matter', async () => {
    const stream = await liveStream('order');
    const plain = await stream.get('v/index.m3u8?_HLS_msn=5&_HLS_part=0');
    for (const query of [
      '_HLS_part=0&_HLS_msn=5',
      'a=1&_HLS_part=0&a=2&_HLS_msn=5&a',
      '%5FHLS_msn=5&_HLS_part=0',
    ]) {
      const answer = await stream.get(`v/index.m3u8?${query}`);
      expect([answer.status, answer.text]).toEqual([200, plain.text]);
    }
  });
});

test('rule 16: a request held for more than three target durations is answered 503, which nobody stores', async () => {
  const quick = { ...begin(0, ['v']), targetDuration: 1, partTarget: 0.5 };
  const stream = await edge.publish('standstill', quick, init('v'), part('v', 0, 0));
  const asked = performance.now();
  const answer = await stream.get('v/index.m3u8?_HLS_msn=0&_HLS_part=1');
  const held = (performance.now() - asked) / 1000;
  expect(answer.status).toBe(503);
  expect(held).toBeGreaterThan(2.9);
  expect(held).toBeLessThan(6);
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(answer.headers['retry-after']).toMatch(/^[0-9]+$/);
  await stream.publish(part('v', 0, 1));
  expect((await stream.get('v/index.m3u8?_HLS_msn=0&_HLS_part=1')).status).toBe(200);
});

describe('rule 17: a delta update', () => {
  /** Puts what a player knows from the full playlist in the place of EXT-X-SKIP, rfc8216bis §6.3.7. */
  function applyDelta(full: string, delta: string): string {
    const skipped = Number(/^#EXT-X-SKIP:SKIPPED-SEGMENTS=(\d+)$/m.exec(delta)?.[1]);
    const first = (text: string): number => Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)$/m.exec(text)?.[1]);
    const segmentsOf = full.slice(full.search(/^#EXT-X-MAP/m)).split(/(?<=^[^#\n]+\n)/m);
    const known = segmentsOf.slice(first(delta) - first(full), first(delta) - first(full) + skipped);
    return delta.replace(/^#EXT-X-SKIP.*\n/m, known.join('').replaceAll(/^#EXT-X-PART:.*\n/gm, ''));
  }

  test('with _HLS_skip=YES has one EXT-X-SKIP, and with what it skips is the full playlist', async () => {
    const stream = await edge.publish('delta', ...START, ...segments(0, 9));
    const full = await stream.get('v/index.m3u8');
    await stream.publish(part('v', 9, 0));
    const delta = await stream.get('v/index.m3u8?_HLS_skip=YES&_HLS_msn=9&_HLS_part=0');
    expect(delta.text.match(/^#EXT-X-SKIP:/gm)).toHaveLength(1);
    expect(delta.text).toContain('\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n');
    expect(Number(/^#EXT-X-VERSION:(\d+)$/m.exec(delta.text)?.[1])).toBeGreaterThanOrEqual(9);
    expect(applyDelta(full.text, delta.text)).toBe((await stream.get('v/index.m3u8')).text);
  });

  test('skips nothing that is within CAN-SKIP-UNTIL of the end, gaps and discontinuities counted', async () => {
    const stream = await edge.publish('delta-gap', ...START, ...segments(0, 4));
    await stream.publish({
      kind: 'gap',
      rendition: 'v',
      msn: 4,
      duration: 2,
      programDateTime: 1_700_000_008_000,
    });
    await stream.publish(...segment('a', 4));
    await stream.beginEpoch(begin(5), init('v'), init('a'), ...segments(5, 10));
    const delta = await stream.get('v/index.m3u8?_HLS_skip=YES');
    expect(delta.text).toContain('\n#EXT-X-SKIP:SKIPPED-SEGMENTS=4\n');
    expect(delta.text).toContain('\n#EXT-X-GAP\n');
    expect(delta.text).toContain(`#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="${stream.epoch}-init.mp4"\n`);
    const listed = [...delta.text.matchAll(/^#EXTINF:([\d.]+),$/gm)].map((match) => Number(match[1]));
    expect(listed.reduce((sum, duration) => sum + duration, 0)).toBeGreaterThanOrEqual(12);
  });

  test.each([
    ['v2, since CAN-SKIP-DATERANGES is not advertised', '_HLS_skip=v2'],
    ['a value that is none', '_HLS_skip=maybe'],
    ['a value in lower case', '_HLS_skip=yes'],
    ['an unknown directive', '_HLS_report=../a&_HLS_future=1'],
  ])('is the full playlist for %s', async (_, query) => {
    const stream = await edge.publish('full', ...START, ...segments(0, 10));
    const answer = await stream.get(`v/index.m3u8?${query}`);
    expect(answer.text).not.toContain('EXT-X-CAN-SKIP-DATERANGES');
    expect([answer.status, answer.text]).toEqual([200, (await stream.get('v/index.m3u8')).text]);
  });

  test('is the full playlist where nothing is old enough to be skipped', async () => {
    const stream = await edge.publish('young', ...START, ...segments(0, 6));
    expect((await stream.get('v/index.m3u8?_HLS_skip=YES')).text).not.toContain('EXT-X-SKIP:');
  });
});
