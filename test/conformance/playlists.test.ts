/** Playlists of streams made by hand, for situations that no encoder gives on demand; numbers as in docs/ll-hls.md. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  begin,
  init,
  part,
  segment,
  segments,
  type Unnumbered,
} from '../../edge-worker/hub/window-fixture.ts';
import { isHeld, startBareEdge, type BareEdge } from './bare-edge.ts';
import { tagsAfterParts } from './playlist-lines.ts';

const START = [begin(), init('v'), init('a')];
const gap = (rendition: string, msn: number): Unnumbered => ({
  kind: 'gap',
  rendition,
  msn,
  duration: 2,
  programDateTime: 1_700_000_000_000 + msn * 2000,
});
const hintsOf = (playlist: string): string[] => playlist.match(/^#EXT-X-PRELOAD-HINT:.*$/gm) ?? [];
const reportsOf = (playlist: string): string[] => playlist.match(/^#EXT-X-RENDITION-REPORT:.*$/gm) ?? [];

let edge: BareEdge;

beforeAll(async () => {
  edge = await startBareEdge();
});

afterAll(async () => {
  await edge?.close();
});

describe('rule 3: EXT-X-SERVER-CONTROL', () => {
  test.each([
    [2, 1, 'CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12,HOLD-BACK=6,PART-HOLD-BACK=3'],
    [4, 0.333_667, 'CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24,HOLD-BACK=12,PART-HOLD-BACK=1.001001'],
    [10, 1.1, 'CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=60,HOLD-BACK=30,PART-HOLD-BACK=3.3'],
  ])('of %d s segments in %d s parts holds back enough', async (targetDuration, partTarget, control) => {
    const opening = { ...begin(0, ['v']), targetDuration, partTarget };
    const stream = await edge.publish(`control-${targetDuration}`, opening, init('v'), part('v', 0, 0));
    const { text } = await stream.get('v/index.m3u8');
    expect(text).toContain(`\n#EXT-X-SERVER-CONTROL:${control}\n`);
    expect(text).toContain(`\n#EXT-X-PART-INF:PART-TARGET=${partTarget}\n`);
    expect(text).toContain(`\n#EXT-X-TARGETDURATION:${targetDuration}\n`);
  });
});

describe('rule 7: what applies to a segment', () => {
  test('comes before its first part, at the start and behind a discontinuity, open or complete', async () => {
    const stream = await edge.publish('order', ...START, ...segments(0, 3), part('v', 3, 0), part('a', 3, 0));
    const first = await stream.get('v/index.m3u8');
    await stream.beginEpoch(begin(4), init('v'), init('a'), part('v', 4, 0), part('a', 4, 0));
    const open = await stream.get('v/index.m3u8');
    await stream.publish(part('v', 4, 1), { kind: 'segment', rendition: 'v', msn: 4, parts: 2 });
    const complete = await stream.get('v/index.m3u8');
    for (const { text } of [first, open, complete]) {
      expect(tagsAfterParts(text)).toEqual([]);
      expect(text).toMatch(/#EXT-X-MAP:URI="1700000000-init\.mp4"\n#EXT-X-PROGRAM-DATE-TIME:/);
    }
    for (const { text } of [open, complete]) {
      expect(text).toMatch(
        /\n1700000000-3\.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="1700000001-init\.mp4"\n#EXT-X-PROGRAM-DATE-TIME:[^\n]+\n#EXT-X-PART:/,
      );
    }
  });

  test('counts discontinuities that left the playlist in EXT-X-DISCONTINUITY-SEQUENCE', async () => {
    const stream = await edge.publish('sequence', ...START, ...segments(0, 3));
    await stream.beginEpoch(begin(3), init('v'), init('a'), ...segments(3, 13));
    expect((await stream.get('v/index.m3u8')).text).toMatch(
      /#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-DISCONTINUITY\n/,
    );
    await stream.publish(...segments(13, 14));
    const { text } = await stream.get('v/index.m3u8');
    expect(text).toContain('\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n');
    expect(text).not.toMatch(/^#EXT-X-DISCONTINUITY$/m);
  });
});

describe('rule 9: retention', () => {
  test('lists no part that is more than three target durations from the end, and keeps it downloadable', async () => {
    const stream = await edge.publish('parts', ...START, ...segments(0, 5), part('v', 5, 0), part('a', 5, 0));
    const before = await stream.get('v/index.m3u8');
    const listed = [...before.text.matchAll(/^#EXT-X-PART:.*URI="([^"]+)"/gm)].map((match) => match[1] ?? '');
    expect(listed).toEqual(['3.0', '3.1', '4.0', '4.1', '5.0'].map((at) => `${stream.epoch}-${at}.m4s`));
    await stream.publish(part('v', 5, 1), { kind: 'segment', rendition: 'v', msn: 5, parts: 2 });
    for (let msn = 6; msn < 9; msn += 1) {
      await stream.publish(...segment('v', msn));
    }
    const after = await stream.get('v/index.m3u8');
    for (const uri of listed) {
      expect(after.text).not.toContain(`URI="${uri}"`);
      expect((await stream.get(`v/${uri}`)).status).toBe(200);
    }
  });

  test('takes segments off in order and keeps each downloadable for the playlist that follows it', async () => {
    const stream = await edge.publish('segments', ...START, ...segments(0, 10));
    for (let msn = 10; msn < 20; msn += 1) {
      await stream.publish(...segments(msn, msn + 1));
      const { text } = await stream.get('v/index.m3u8');
      expect(text).toContain(`\n#EXT-X-MEDIA-SEQUENCE:${msn - 9}\n`);
      const uris = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      expect(uris).toEqual(
        Array.from({ length: 10 }, (_, index) => `${stream.epoch}-${msn - 9 + index}.m4s`),
      );
    }
    for (let msn = 0; msn < 10; msn += 1) {
      const answer = await stream.get(`v/${stream.epoch}-${msn}.m4s`);
      expect([answer.status, answer.text]).toEqual([200, `<v ${msn}.0><v ${msn}.1>`]);
    }
  });
});

describe('rule 10: EXT-X-PRELOAD-HINT', () => {
  test('is there once for the next part, and the part comes under that URI', async () => {
    const stream = await edge.publish('hint', ...START, ...segments(0, 2));
    for (const [msn, index] of [
      [2, 0],
      [2, 1],
    ] as const) {
      const { text } = await stream.get('v/index.m3u8');
      const uri = `${stream.epoch}-${msn}.${index}.m4s`;
      expect(hintsOf(text)).toEqual([`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${uri}"`]);
      await stream.publish(part('v', msn, index));
      expect((await stream.get('v/index.m3u8')).text).toMatch(new RegExp(`^#EXT-X-PART:.*URI="${uri}"`, 'm'));
    }
  });

  test('names the init segment of a coming discontinuity as TYPE=MAP, which is held as well', async () => {
    const stream = await edge.publish('hint-map', ...START, ...segments(0, 2));
    await stream.beginEpoch(begin(2));
    const { text } = await stream.get('v/index.m3u8');
    expect(hintsOf(text)).toEqual([
      `#EXT-X-PRELOAD-HINT:TYPE=MAP,URI="${stream.epoch}-init.mp4"`,
      `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${stream.epoch}-2.0.m4s"`,
    ]);
    const map = stream.get(`v/${stream.epoch}-init.mp4`);
    expect(await isHeld(map)).toBe(true);
    await stream.publish(init('v'), part('v', 2, 0));
    expect((await map).text).toBe('init v');
    expect(hintsOf((await stream.get('v/index.m3u8')).text)).toHaveLength(1);
  });

  test('is held until the part is whole, with the bytes and headers under which it is then known', async () => {
    const stream = await edge.publish('held', ...START, ...segments(0, 2));
    const uri = `v/${stream.epoch}-2.0.m4s`;
    const hinted = [stream.get(uri), stream.get(uri), stream.ask('HEAD', uri)];
    expect(await isHeld(Promise.race(hinted))).toBe(true);
    await stream.publish(part('v', 2, 0));
    const later = await stream.get(uri);
    const [first, second, head] = await Promise.all(hinted);
    expect([first?.text, second?.text, later.text]).toEqual(['<v 2.0>', '<v 2.0>', '<v 2.0>']);
    for (const name of ['etag', 'cache-control', 'content-length', 'content-type']) {
      expect([first?.headers[name], head?.headers[name]]).toEqual([later.headers[name], later.headers[name]]);
    }
  });

  test.each<[string, readonly Unnumbered[]]>([
    ['its segment is complete without it', [{ kind: 'segment', rendition: 'v', msn: 2, parts: 1 }]],
    ['the stream ends', [{ kind: 'end' }]],
  ])('that was given up since %s is answered 404, at once', async (why, updates) => {
    const stream = await edge.publish(
      `given-up-${why.length}`,
      ...START,
      ...segments(0, 2),
      part('v', 2, 0),
      part('a', 2, 0),
    );
    const uri = `v/${stream.epoch}-2.1.m4s`;
    const hinted = stream.get(uri);
    expect(await isHeld(hinted)).toBe(true);
    await stream.publish(...updates);
    expect((await hinted).status).toBe(404);
    expect((await hinted).headers['cache-control']).toContain('max-age=1,');
    expect((await stream.get(uri)).status).toBe(404);
  });

  test('that was given up since a new encoder began is answered 404, at once', async () => {
    const stream = await edge.publish('given-up', ...START, ...segments(0, 2));
    const hinted = stream.get(`v/${stream.epoch}-2.0.m4s`);
    expect(await isHeld(hinted)).toBe(true);
    await stream.beginEpoch(begin(2));
    expect((await hinted).status).toBe(404);
  });

  test('alone is held: a part beyond it is answered 404', async () => {
    const stream = await edge.publish('beyond', ...START, ...segments(0, 2));
    for (const file of ['2.1', '3.0', '2']) {
      expect((await stream.get(`v/${stream.epoch}-${file}.m4s`)).status).toBe(404);
    }
  });
});

describe('rule 11: EXT-X-RENDITION-REPORT', () => {
  test('says for every other rendition what is the last there at that instant', async () => {
    const stream = await edge.publish(
      'reports',
      ...[begin(0, ['v', 'w', 'a']), init('v'), init('w'), init('a')],
      ...[...segment('v', 0), ...segment('w', 0), ...segment('a', 0)],
    );
    await stream.publish(part('v', 1, 0), part('a', 1, 0), part('a', 1, 1));
    const report = (name: string, msn: number, last: number): string =>
      `#EXT-X-RENDITION-REPORT:URI="../${name}/index.m3u8",LAST-MSN=${msn},LAST-PART=${last}`;
    expect(reportsOf((await stream.get('v/index.m3u8')).text)).toEqual([
      report('w', 0, 1),
      report('a', 1, 1),
    ]);
    expect(reportsOf((await stream.get('a/index.m3u8')).text)).toEqual([
      report('v', 1, 0),
      report('w', 0, 1),
    ]);
    await stream.publish(part('w', 1, 0));
    expect(reportsOf((await stream.get('v/index.m3u8')).text)).toEqual([
      report('w', 1, 0),
      report('a', 1, 1),
    ]);
  });

  test('has no LAST-PART where the last segment is a gap', async () => {
    const stream = await edge.publish(
      'report-gap',
      ...START,
      ...segments(0, 2),
      gap('a', 2),
      ...segment('v', 2),
    );
    expect(reportsOf((await stream.get('v/index.m3u8')).text)).toEqual([
      '#EXT-X-RENDITION-REPORT:URI="../a/index.m3u8",LAST-MSN=2',
    ]);
  });
});

describe('rule 12: a rendition that has nothing', () => {
  test('lists EXT-X-GAP, so that its numbers and dates stay those of the others', async () => {
    const stream = await edge.publish('gap', ...START, ...segments(0, 2), gap('a', 2), ...segment('v', 2));
    await stream.publish(...segments(3, 4));
    const [video, audio] = await Promise.all([stream.get('v/index.m3u8'), stream.get('a/index.m3u8')]);
    const dates = (text: string): string[] => text.match(/^#EXT-X-PROGRAM-DATE-TIME:.*$/gm) ?? [];
    expect(dates(audio.text)).toEqual(dates(video.text));
    expect(audio.text).toMatch(/#EXT-X-GAP\n#EXTINF:2,\n1700000000-2\.m4s\n/);
    expect((await stream.get(`a/${stream.epoch}-2.m4s`)).status).toBe(404);
  });

  test('is brought to the number of the others when its encoder is lost', async () => {
    const stream = await edge.publish(
      'lost',
      ...START,
      ...segments(0, 2),
      ...segment('v', 2),
      part('v', 3, 0),
    );
    await stream.beginEpoch(begin(4), init('v'), init('a'), ...segments(4, 5));
    for (const rendition of ['v', 'a']) {
      const { text } = await stream.get(`${rendition}/index.m3u8`);
      expect(text).toMatch(/\n#EXT-X-DISCONTINUITY\n(#EXT-X-(?!DISC).*\n)*#EXTINF:2,\n1700000001-4\.m4s\n/);
      expect(text.match(/\.m4s$/gm)).toHaveLength(5);
    }
  });
});

describe('rule 13: at the end', () => {
  test('held requests are released at once and the playlist has EXT-X-ENDLIST and no preload hint', async () => {
    const stream = await edge.publish('end', ...START, ...segments(0, 9));
    const held = ['_HLS_msn=9&_HLS_part=0', '_HLS_msn=10'].map((query) =>
      stream.get(`v/index.m3u8?${query}`),
    );
    expect(await isHeld(Promise.race(held))).toBe(true);
    await stream.publish({ kind: 'end' });
    for (const answer of await Promise.all(held)) {
      expect(answer.status).toBe(200);
      expect(answer.text).toMatch(/\n#EXT-X-ENDLIST\n$/);
      expect(answer.text).not.toContain('PRELOAD-HINT');
      expect(answer.text).not.toContain('RENDITION-REPORT');
    }
  });

  test('directives are ignored', async () => {
    const stream = await edge.publish('ended', ...START, ...segments(0, 9), { kind: 'end' });
    const plain = await stream.get('v/index.m3u8');
    for (const query of [
      '_HLS_msn=9',
      '_HLS_msn=999&_HLS_part=7',
      '_HLS_skip=YES',
      '_HLS_part=3',
      '_HLS_msn=x',
    ]) {
      const answer = await stream.get(`v/index.m3u8?${query}`);
      expect([query, answer.status, answer.text]).toEqual([query, 200, plain.text]);
    }
  });

  test('a segment that was being made is closed with the parts it has', async () => {
    const stream = await edge.publish('end-open', ...START, ...segments(0, 2), part('v', 2, 0), {
      kind: 'end',
    });
    const { text } = await stream.get('v/index.m3u8');
    expect(text).toMatch(/#EXTINF:1,\n1700000000-2\.m4s\n#EXT-X-ENDLIST\n$/);
    expect((await stream.get(`v/${stream.epoch}-2.m4s`)).text).toBe('<v 2.0>');
  });
});
