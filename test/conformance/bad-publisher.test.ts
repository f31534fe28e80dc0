/** Publishers and viewers that do what nobody should: the stream stays as it was, for everybody else. */

import { readdir } from 'node:fs/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodePublishFrames, MAX_PAYLOAD_BYTES } from '#shared/wire/publish.ts';
import {
  begin,
  framesOf,
  init,
  part,
  segment,
  segments,
  type Unnumbered,
} from '../../edge-worker/hub/window-fixture.ts';
import { startBareEdge, type BareEdge, type HandMadeStream } from './bare-edge.ts';

const UNKNOWN_ASKED = 1000;
const UNKNOWN_LIMIT_MS = 20_000;
const AT_ONCE = 50;

let edge: BareEdge;
let stream: HandMadeStream;
let before: string;

beforeAll(async () => {
  edge = await startBareEdge();
  stream = await edge.publish('live', begin(), init('v'), init('a'), ...segments(0, 13), part('v', 13, 0));
  before = (await stream.get('v/index.m3u8')).text;
});

afterAll(async () => {
  await edge?.close();
});

/** What was offered left no trace: the playlist, the bytes and the number that is expected next are as before. */
async function expectUntouched(): Promise<void> {
  expect((await stream.get('v/index.m3u8')).text).toBe(before);
  expect((await stream.get(`v/${stream.epoch}-13.0.m4s`)).text).toBe('<v 13.0>');
  expect(await stream.offer([])).toEqual({ status: 'accepted', next: stream.seq });
}

describe('a publisher', () => {
  test('that sends updates twice is told that all is well, and nothing is there twice', async () => {
    const [again] = framesOf([part('v', 13, 0)], stream.seq - 1);
    expect(again).toBeDefined();
    for (const payload of [again?.payload ?? new Uint8Array(), new TextEncoder().encode('other bytes')]) {
      const frames = again === undefined ? [] : [{ update: again.update, payload }];
      expect(await stream.offer(frames)).toEqual({ status: 'accepted', next: stream.seq });
      await expectUntouched();
    }
  });

  test('that sends updates out of order is told which number is expected', async () => {
    const [first, second] = framesOf([part('v', 13, 1), part('v', 14, 0)], stream.seq);
    expect(first).toBeDefined();
    expect(await stream.offer(second === undefined ? [] : [second])).toEqual({
      status: 'gap',
      next: stream.seq,
    });
    await expectUntouched();
  });

  test.each<[string, readonly Unnumbered[]]>([
    ['a part of a segment long gone', [part('v', 0, 0)]],
    ['a part of the last complete segment', [part('v', 12, 1)]],
    ['a part again under a new number', [part('v', 13, 0)]],
    ['a part that skips one', [part('v', 13, 2)]],
    ['a part of a later segment', [part('v', 14, 0)]],
    ['a part of a rendition that was not announced', [part('w', 13, 1)]],
    ['the end of a segment that lacks parts', [{ kind: 'segment', rendition: 'v', msn: 13, parts: 2 }]],
    ['the end of a segment that has none', [{ kind: 'segment', rendition: 'a', msn: 13, parts: 1 }]],
    [
      'a gap where there are parts',
      [{ kind: 'gap', rendition: 'v', msn: 13, duration: 2, programDateTime: 0 }],
    ],
    ['another init segment', [init('v')]],
  ])('that sends %s is refused, and goes on', async (_, updates) => {
    expect(await stream.offer(framesOf(updates, stream.seq))).toMatchObject({ status: 'invalid' });
    await expectUntouched();
  });

  test('of an earlier epoch is told where a new one may begin', async () => {
    const answer = await stream.offer(framesOf([begin()], 0), stream.epoch - 1);
    expect(answer).toEqual({ status: 'stale', latestEpoch: stream.epoch, nextMsn: 14 });
    await expectUntouched();
  });

  test('of a later epoch that would use a number again is told where it may begin', async () => {
    const answer = await stream.offer(framesOf([begin(13)], 0), stream.epoch + 1);
    expect(answer).toEqual({ status: 'stale', latestEpoch: stream.epoch, nextMsn: 14 });
    await expectUntouched();
  });

  test('whose frame has a wrong length is refused', async () => {
    const body = encodePublishFrames(framesOf([part('v', 13, 1)], stream.seq));
    const withLength = (at: number, length: number): Uint8Array => {
      const wrong = new Uint8Array(body);
      new DataView(wrong.buffer).setUint32(at, length);
      return wrong;
    };
    const bodies: readonly (readonly [Uint8Array, number])[] = [
      [withLength(0, 3), 400],
      [withLength(0, 0xff_ff_ff_ff), 413],
      [withLength(4, 9), 400],
      [withLength(4, 3), 400],
      [withLength(4, MAX_PAYLOAD_BYTES + 1), 413],
      [body.subarray(0, body.length - 1), 400],
      [body.subarray(0, 5), 400],
      [new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n'), 413],
    ];
    for (const [index, [wrong, status]] of bodies.entries()) {
      expect([index, (await stream.post(wrong)).status]).toEqual([index, status]);
    }
    await expectUntouched();
  });

  test('that closes before it has sent what it announced leaves no trace', async () => {
    const body = encodePublishFrames(framesOf([part('v', 13, 1)], stream.seq));
    const { hostname, port } = new URL(edge.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const head = [
      `POST /publish/live/${stream.epoch} HTTP/1.1`,
      'Host: edge',
      `Authorization: Bearer ${edge.serviceToken}`,
      `Content-Length: ${body.length}`,
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    socket.write(body.subarray(0, body.length - 2));
    socket.end();
    socket.resume();
    await once(socket, 'close');
    await expectUntouched();
  });

  test.each<[string, () => Promise<string>]>([
    ['a play token of this stream', () => edge.token('live')],
    ["another stream's token", () => edge.token('other')],
    ['no token', async () => ''],
    ['a token that is longer', async () => `${edge.serviceToken}x`],
  ])('with %s is answered 401', async (_, bearer) => {
    const body = encodePublishFrames(framesOf([part('v', 13, 1)], stream.seq));
    expect((await stream.post(body, { bearer: await bearer() })).status).toBe(401);
    await expectUntouched();
  });

  test('that keeps part of a good request keeps only what came before the mistake', async () => {
    const other = await edge.publish('half', begin(), init('v'), init('a'), ...segments(0, 3));
    const answer = await other.offer(framesOf([part('v', 3, 0), part('v', 3, 2)], other.seq));
    expect(answer).toMatchObject({ status: 'invalid' });
    expect(await other.offer([])).toEqual({ status: 'accepted', next: other.seq + 1 });
    expect((await other.get('v/index.m3u8')).text).toContain(`URI="${other.epoch}-3.0.m4s"`);
    await expectUntouched();
  });
});

describe('a stream that never was', () => {
  test('is answered 404 as often as it is asked for, and leaves nothing in storage', async () => {
    const stored = await storedRows();
    const token = await edge.token('nobody');
    const paths = ['index.m3u8', 'v/index.m3u8?_HLS_msn=0', 'v/1-init.mp4', 'v/1-0.m4s', 'v/1-0.0.m4s'];
    const asked = performance.now();
    for (let at = 0; at < UNKNOWN_ASKED; at += AT_ONCE) {
      const answers = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, index) =>
          edge.send(`/t/${token}/live/nobody/${paths[(at + index) % paths.length]}`),
        ),
      );
      expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([404]));
      expect(answers[0]?.headers['cache-control']).toBe('public, max-age=1, stale-if-error=0');
    }
    expect(performance.now() - asked).toBeLessThan(UNKNOWN_LIMIT_MS);
    expect(await storedRows()).toEqual(stored);
    await expectUntouched();
  });

  test('may still be published, from the beginning', async () => {
    const late = await edge.publish('nobody', begin(), init('v'), init('a'), ...segment('v', 0));
    expect((await late.get('v/index.m3u8')).text).toContain('\n#EXT-X-MEDIA-SEQUENCE:0\n');
  });
});

/** Every table that a stream hub has made, with its rows, over all streams. */
async function storedRows(): Promise<readonly string[]> {
  const names = await readdir(edge.dataDir, { recursive: true });
  const hubs = names.filter((name) => /StreamHub.*[0-9a-f]{64}\.sqlite$/.test(name));
  expect(hubs).not.toEqual([]);
  return hubs.sort().flatMap((name) => {
    const database = new DatabaseSync(join(edge.dataDir, name), { readOnly: true });
    try {
      const tables = database
        .prepare(
          "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'",
        )
        .all();
      return tables.map((table) => {
        const [count] = database.prepare(`SELECT count(*) AS rows FROM ${String(table['name'])}`).all();
        return `${name} ${String(table['name'])} ${String(count?.['rows'])}`;
      });
    } finally {
      database.close();
    }
  });
}
