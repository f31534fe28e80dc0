import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readAggregate } from './aggregate.ts';
import { FLV_AUDIO, FLV_VIDEO, writeFlvTag } from './flv-tag.ts';

test('the tags of an aggregate keep their distance and begin at its time stamp', () => {
  const payload = Buffer.concat([
    writeFlvTag({ type: FLV_VIDEO, timestamp: 5000, body: Uint8Array.of(1) }),
    writeFlvTag({ type: FLV_AUDIO, timestamp: 5023, body: Uint8Array.of(2, 3) }),
  ]);
  expect(readAggregate(payload, 70)).toEqual([
    { type: FLV_VIDEO, timestamp: 70, body: Buffer.of(1) },
    { type: FLV_AUDIO, timestamp: 93, body: Buffer.of(2, 3) },
  ]);
});

test('any bytes read as tags or as none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const tags = readAggregate(bytes, 0);
      expect(tags === undefined || tags.every((tag) => tag.body.length <= bytes.length)).toBe(true);
    }),
  );
});
