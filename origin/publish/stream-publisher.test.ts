import { describe, expect, it } from 'vitest';
import { parseRenditionName, parseStreamName } from '#shared/identifiers.ts';
import { epoch, mediaSequenceNumber, partIndex, seconds } from '#shared/media-time.ts';
import type { UnnumberedUpdate } from './send-window.ts';
import type { StoredObject } from './spool.ts';
import { StreamPublisher } from './stream-publisher.ts';

const stream = parseStreamName('cam');
const rendition = parseRenditionName('720p');
if (!stream.ok || !rendition.ok) {
  throw new Error('names');
}
const [cam, hd] = [stream.value, rendition.value];

function setUp() {
  const updates: UnnumberedUpdate[] = [];
  const objects: StoredObject[] = [];
  const publisher = new StreamPublisher({
    stream: cam,
    epoch: epoch(1000),
    hub: { publish: (update) => updates.push(update) },
    objects: { write: (object) => objects.push(object) },
  });
  const part = (msn: number, index: number, text: string): void =>
    publisher.part(
      {
        rendition: hd,
        msn: mediaSequenceNumber(msn),
        part: partIndex(index),
        duration: seconds(0.5),
        independent: index === 0,
        programDateTime: 1,
      },
      Buffer.from(text),
    );
  return { updates, objects, publisher, part };
}

describe('a stream publisher', () => {
  it('stores init, parts and the segment made of exactly its parts, under immutable keys', () => {
    const { updates, objects, publisher, part } = setUp();
    publisher.init(hd, Buffer.from('init'));
    part(4, 0, 'ab');
    part(4, 1, 'cd');
    publisher.segment(hd, mediaSequenceNumber(4));
    part(5, 0, 'ef');
    publisher.end();
    expect(objects.map(({ key, bytes }) => [key, Buffer.from(bytes).toString()])).toEqual([
      ['live/cam/1000/720p/init.mp4', 'init'],
      ['live/cam/1000/720p/4.0.m4s', 'ab'],
      ['live/cam/1000/720p/4.1.m4s', 'cd'],
      ['live/cam/1000/720p/4.m4s', 'abcd'],
      ['live/cam/1000/720p/5.0.m4s', 'ef'],
    ]);
    expect(updates.map((update) => update.kind)).toEqual(['init', 'part', 'part', 'segment', 'part', 'end']);
    expect(updates[3]).toEqual({ kind: 'segment', rendition: '720p', msn: 4, parts: 2 });
  });

  it('refuses parts out of order and segments without parts', () => {
    const { updates, publisher, part } = setUp();
    expect(() => part(4, 1, 'x')).toThrow('part 1 of msn 4 came after 0 parts');
    part(4, 0, 'x');
    expect(() => part(5, 0, 'x')).toThrow('msn 5 begins before msn 4 is complete');
    expect(() => publisher.segment(hd, mediaSequenceNumber(5))).toThrow('none of its parts');
    expect(updates).toHaveLength(1);
  });
});
